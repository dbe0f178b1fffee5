//! TCP flow tracking and reassembly: capture octets in, columns out.
//!
//! The modules stand in the order the data flows: [`capture`] finds packets in a block, [`decode`] finds the segment
//! in a packet, [`flow`] finds its flow, [`chain`] computes what a flow record says, and [`batch`] writes records as
//! columns. A [`session`] wires them together and is what JavaScript drives.
//!
//! No Node, no clock, no printing: time is packet time.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod analysis;
pub mod batch;
pub mod capture;
pub mod chain;
pub mod connection;
pub mod decode;
pub mod error;
pub mod filter;
pub mod flow;
pub mod partition;
pub mod seq;
pub mod session;
pub mod sink;
pub mod stream;
