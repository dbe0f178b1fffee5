//! From a packet's octets to a TCP segment (placeholder: the walk itself is merged from another branch).

pub mod checksum;
pub mod defrag;
pub mod options;
