//! What a decoder is told.

use super::checksum::ChecksumMode;
use super::defrag::FragmentConfig;

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
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            decap: true,
            ignore_encap: false,
            checksum: ChecksumMode::default(),
            fragments: FragmentConfig::default(),
        }
    }
}
