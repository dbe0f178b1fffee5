//! The Node addon: converts options, batches and errors, and runs sessions on Node's worker threads. No logic.

#![deny(clippy::all)]

mod error;
mod live;
mod options;
mod panicking;
mod reader;
mod record;
