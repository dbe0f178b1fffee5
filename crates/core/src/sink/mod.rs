//! Many output files at a time, and how packets stand in them.
//!
//! In: octets for numbered files. Out: files in one folder, of which only some are open and whose waiting octets are
//! bounded. Nothing here knows flows: [`FileSet`] takes any octets, [`CaptureFormat`] any packets.

mod capture_file;
mod files;
mod recency;

pub use capture_file::{CaptureFormat, Container, Interface};
pub use files::{FileSet, FileSetOptions, FileSetStats, FinishedFile};
pub use recency::Recency;
