//! Test helpers: frame and capture builders, and models that are slow but obviously right.
//!
//! Nothing here knows the code under test, so that an agreement between the two means something.

pub mod filters;
pub mod fragments;
pub mod frame;
pub mod link;
pub mod links;
pub mod naive;
pub mod pcapng;
pub mod seeds;
pub mod tunnels;
