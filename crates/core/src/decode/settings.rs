//! What a decoder is told.

use super::checksum::ChecksumMode;
use super::defrag::FragmentConfig;
use super::encap::EncapId;

/// Choices of a [`Decoder`](super::Decoder).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Tunnels are opened, and what is inside is decoded. Default true.
    pub decap: bool,
    /// VLANs and tunnels are no part of a flow's identity. Default false.
    pub ignore_encap: bool,
    /// What is done about checksums. Default [`ChecksumMode::Ignore`].
    pub checksum: ChecksumMode,
    /// How fragments are put together.
    pub fragments: FragmentConfig,
    /// Threads for one capture, the caller's included. From 2 on a thread of its own reads ahead, in sessions that look
    /// at heads alone, and from 3 on another one finds and decodes packets. Default 1. The result doesn't depend on it.
    pub threads: usize,
}

impl DecodeOptions {
    /// What counts for a flow's key of what lies around a datagram.
    #[inline]
    #[must_use]
    pub fn key_encap(&self, outer: EncapId) -> EncapId {
        if self.ignore_encap { EncapId(0) } else { outer }
    }
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            decap: true,
            ignore_encap: false,
            checksum: ChecksumMode::default(),
            fragments: FragmentConfig::default(),
            threads: 1,
        }
    }
}
