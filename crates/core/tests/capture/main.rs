//! The capture room, by its public interface: formats, compression, damage, and the corpus of real captures.

mod compress;
mod corpus;
mod malformed;
mod pcap;
mod pcapng;
mod support;
