//! The capture room, by its public interface: formats, compression, damage, and the corpus of real captures.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test may fail, and says what it skips")]

mod compress;
mod corpus;
mod malformed;
mod pcap;
mod pcapng;
mod support;
