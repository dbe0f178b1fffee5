//! Test helpers: frame and capture builders, and models that are slow but obviously right.
//!
//! Nothing here knows the code under test, so that an agreement between the two means something.

pub mod fragments;
pub mod frame;
pub mod link;
pub mod naive;
pub mod pcapng;
