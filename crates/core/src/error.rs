//! The one error type that leaves this crate, and its stable codes.
//!
//! Only *failures* are errors. Data problems (a cut header, an unknown link type, a checksum) are counted and the
//! run goes on, because real captures are dirty.

use std::{fmt, io};

/// Why a run could not go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum FlowError {
    /// The operating system refused an operation.
    Io {
        /// What was tried: `open`, `read`, …
        op: &'static str,
        /// What the system answered.
        source: io::Error,
    },
    /// The bytes are not a capture that can be read.
    Format {
        /// Octets from the start of the (decompressed) input.
        offset: u64,
        /// What is wrong, in a few words.
        reason: String,
    },
    /// The input ends inside a structure.
    Truncated {
        /// Which structure.
        what: &'static str,
        /// Where the structure begins, in octets from the start of the (decompressed) input.
        offset: u64,
        /// Octets it needs.
        needed: u64,
        /// Octets there are.
        available: u64,
    },
    /// The input contradicts itself: nothing after this point can be trusted.
    Damaged {
        /// Octets from the start of the (decompressed) input.
        offset: u64,
        /// What is wrong, in a few words.
        reason: String,
    },
    /// An option has a value that can't be used.
    InvalidOption {
        /// The option's name, as the user wrote it.
        name: &'static str,
        /// Why not.
        reason: String,
    },
    /// The system doesn't allow this program to capture packets.
    NotPermitted {
        /// The interface.
        interface: String,
        /// What would allow it: a command.
        remedy: String,
    },
    /// There is no such interface, or nothing can be captured on it.
    Interface {
        /// Its name.
        interface: String,
        /// What is wrong, in a few words.
        reason: String,
    },
    /// The interface that was captured on went down, or away.
    InterfaceDown {
        /// Its name.
        interface: String,
    },
    /// Capturing in the way that was asked for isn't possible on this system.
    LiveUnsupported {
        /// Why not.
        reason: String,
    },
    /// A second request came while one was under way.
    Busy,
    /// The reader was closed.
    Closed,
    /// A bug: a panic was caught.
    Internal {
        /// The panic's message.
        message: String,
    },
    /// One of the above, in a named capture.
    InCapture {
        /// The capture's name as the user gave it.
        capture: String,
        /// What happened.
        source: Box<FlowError>,
    },
}

impl FlowError {
    /// The stable code that JavaScript sees as `error.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "ERR_CAPTURE_IO",
            Self::Format { .. } => "ERR_CAPTURE_FORMAT",
            Self::Truncated { .. } => "ERR_CAPTURE_TRUNCATED",
            Self::Damaged { .. } => "ERR_CAPTURE_DAMAGED",
            Self::InvalidOption { .. } => "ERR_INVALID_OPTION",
            Self::NotPermitted { .. } => "ERR_LIVE_PERMISSION",
            Self::Interface { .. } => "ERR_LIVE_INTERFACE",
            Self::InterfaceDown { .. } => "ERR_LIVE_DOWN",
            Self::LiveUnsupported { .. } => "ERR_LIVE_UNSUPPORTED",
            Self::Busy => "ERR_BUSY",
            Self::Closed => "ERR_CLOSED",
            Self::Internal { .. } => "ERR_INTERNAL",
            Self::InCapture { source, .. } => source.code(),
        }
    }

    /// Octets from the start of the input at which reading stopped, where there is such a place.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Format { offset, .. } | Self::Truncated { offset, .. } | Self::Damaged { offset, .. } => {
                Some(*offset)
            }
            Self::InCapture { source, .. } => source.offset(),
            _ => None,
        }
    }

    /// The same error with the capture's name.
    #[must_use]
    pub fn in_capture(self, capture: &str) -> Self {
        match self {
            Self::InCapture { .. } => self,
            other => Self::InCapture { capture: capture.to_owned(), source: Box::new(other) },
        }
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { op, source } => write!(f, "cannot {op}: {}", plain_io(source)),
            Self::Format { offset, reason } | Self::Damaged { offset, reason } => {
                write!(f, "offset {offset}: {reason}")
            }
            Self::Truncated { what, offset, needed, available } => {
                write!(f, "offset {offset}: {what} is cut short: {needed} octets needed, {available} there")
            }
            Self::InvalidOption { name, reason } => write!(f, "option {name}: {reason}"),
            Self::NotPermitted { interface, remedy } => {
                write!(f, "capturing on {interface} is not permitted: {remedy}")
            }
            Self::Interface { interface, reason } => write!(f, "interface {interface}: {reason}"),
            Self::InterfaceDown { interface } => write!(f, "interface {interface} went down"),
            Self::LiveUnsupported { reason } => write!(f, "no live capture: {reason}"),
            Self::Busy => f.write_str("a request is already under way"),
            Self::Closed => f.write_str("the reader is closed"),
            Self::Internal { message } => write!(f, "internal error (please report it): {message}"),
            Self::InCapture { capture, source } => write!(f, "{capture}: {source}"),
        }
    }
}

impl std::error::Error for FlowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::InCapture { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The system's sentence without Rust's "(os error 2)".
fn plain_io(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
