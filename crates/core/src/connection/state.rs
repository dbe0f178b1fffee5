//! The states and ends of a connection, with the words that records use.

/// How far a connection came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// A SYN was seen, no answer.
    #[default]
    SynSent = 0,
    /// A SYN was answered by a SYN.
    SynReceived = 1,
    /// The three-way handshake completed (RFC 9293 section 3.5).
    Established = 2,
    /// A FIN was seen.
    Closing = 3,
    /// A FIN was seen and acknowledged in both directions.
    Closed = 4,
    /// A RST was seen that its receiver could accept.
    Reset = 5,
    /// No handshake was seen: the capture began too late.
    Midstream = 6,
}

impl State {
    /// The words, by number.
    pub const NAMES: [&'static str; 7] =
        ["syn_sent", "syn_received", "established", "closing", "closed", "reset", "midstream"];
}

/// Why a connection's record ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum EndReason {
    /// A FIN in both directions.
    Fin = 0,
    /// A RST.
    Rst = 1,
    /// No segment for the idle time.
    Idle = 2,
    /// A new SYN took the ports.
    Reuse = 3,
    /// The input ended.
    #[default]
    Eof = 4,
    /// The table was full.
    Evicted = 5,
}

impl EndReason {
    /// The words, by number.
    pub const NAMES: [&'static str; 6] = ["fin", "rst", "idle", "reuse", "eof", "evicted"];
}
