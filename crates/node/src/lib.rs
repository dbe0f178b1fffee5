//! The Node addon: converts options, batches and errors, and runs each session on a thread of its own. No logic.

#![cfg_attr(test, allow(dead_code, reason = "what is exported to Node is registered in the addon only"))]
#![deny(clippy::all)]

mod error;
mod job;
mod live;
mod options;
mod packer;
mod panicking;
mod reader;
mod record;
mod resolve;
mod worker;
