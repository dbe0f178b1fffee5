//! One capture of libpcap: its calls, with what they answer as a `Result`.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{self, NonNull};

use tcpskein_core::capture::{LinkType, Losses};
use tcpskein_core::error::FlowError;
use tcpskein_core::filter::ClassicInstruction;

use super::library::{ClassicLayout, Counts, ERROR_LEN, Functions, Header, Program, RawHandle, Setter, functions};
use crate::options::{Direction, LiveOptions};
use crate::privilege::not_permitted;

/// Answers of `pcap_activate`.
const WARNING_MOST: c_int = 3;
const ERROR_NO_DEVICE: c_int = -5;
const ERROR_RIGHTS: c_int = -8;
const ERROR_NOT_UP: c_int = -9;
const ERROR_PROMISCUOUS_RIGHTS: c_int = -11;

/// Milliseconds for which the system may keep packets back to give several at once.
pub(super) const BUFFER_MS: c_int = 40;

/// A packet in the library's memory, valid until the next call.
pub(super) struct Seen {
    data: *const u8,
    pub ts_ns: i64,
    pub captured_len: u32,
    pub wire_len: u32,
}

/// A capture that runs.
pub(super) struct Handle {
    raw: NonNull<RawHandle>,
    functions: &'static Functions,
    /// Nanoseconds in a unit of a time's fraction.
    unit_ns: i64,
    pub link: LinkType,
    seen: Option<Seen>,
}

// SAFETY: libpcap's handles may be used from any thread, by one at a time.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody uses it after this.
        unsafe { (self.functions.close)(self.raw.as_ptr()) };
    }
}

impl Handle {
    /// Begins to capture.
    pub fn open(options: &LiveOptions) -> Result<Self, FlowError> {
        let functions = functions()?;
        let name = &options.interface;
        let unknown = |reason: String| FlowError::Interface { interface: name.clone(), reason };
        let text = CString::new(name.as_str()).map_err(|_| unknown("there is no such interface".to_owned()))?;
        let mut error = [0 as c_char; ERROR_LEN];
        // SAFETY: a text that ends with 0, and room for an error.
        let raw = unsafe { (functions.create)(text.as_ptr(), error.as_mut_ptr()) };
        let raw = NonNull::new(raw).ok_or_else(|| unknown(message(&error)))?;
        let mut handle = Self { raw, functions, unit_ns: 1000, link: LinkType::ETHERNET, seen: None };
        handle.configure(options);
        handle.activate(name)?;
        handle.direct(options.direction)?;
        // SAFETY: an open handle, and room for an error.
        if unsafe { (functions.set_nonblock)(handle.raw.as_ptr(), 1, error.as_mut_ptr()) } != 0 {
            return Err(FlowError::LiveUnsupported { reason: message(&error) });
        }
        // SAFETY: an active handle.
        let link = unsafe { (functions.datalink)(handle.raw.as_ptr()) };
        handle.link = from_dlt(link);
        Ok(handle)
    }

    fn set(&self, function: Setter, value: c_int) -> c_int {
        // SAFETY: the handle is open; these functions check the rest.
        unsafe { function(self.raw.as_ptr(), value) }
    }

    fn configure(&mut self, options: &LiveOptions) {
        let Functions { set_snaplen, set_promisc, set_timeout, set_buffer_size, .. } = self.functions;
        self.set(*set_snaplen, c_int::try_from(options.snaplen).unwrap_or(c_int::MAX));
        // The pseudo-interface of all can't be.
        self.set(*set_promisc, c_int::from(options.promiscuous && options.interface != "any"));
        self.set(*set_timeout, BUFFER_MS);
        self.set(*set_buffer_size, c_int::try_from(options.ring_bytes).unwrap_or(c_int::MAX));
        const NANOSECONDS: c_int = 1;
        if self.functions.set_tstamp_precision.is_some_and(|set| self.set(set, NANOSECONDS) == 0) {
            self.unit_ns = 1;
        }
    }

    fn activate(&self, name: &str) -> Result<(), FlowError> {
        let interface = name.to_owned();
        Err(match self.set(self.functions.activate, 0) {
            0..=WARNING_MOST => return Ok(()),
            ERROR_RIGHTS | ERROR_PROMISCUOUS_RIGHTS => not_permitted(name),
            ERROR_NO_DEVICE => FlowError::Interface { interface, reason: "there is no such interface".to_owned() },
            ERROR_NOT_UP => FlowError::Interface { interface, reason: "it is not up".to_owned() },
            _ => FlowError::Interface { interface, reason: self.error() },
        })
    }

    fn direct(&self, direction: Direction) -> Result<(), FlowError> {
        let code = match direction {
            Direction::Both => return Ok(()),
            Direction::In => 1,
            Direction::Out => 2,
        };
        match self.functions.set_direction.map(|set| self.set(set, code)) {
            Some(0) => Ok(()),
            _ => Err(FlowError::LiveUnsupported { reason: "packets can't be chosen by direction here".to_owned() }),
        }
    }

    /// Runs a filter in the system. False: it doesn't take it.
    pub fn filter(&self, program: &[ClassicInstruction]) -> bool {
        let mut instructions: Vec<ClassicLayout> =
            program.iter().map(|&ClassicInstruction { code, jt, jf, k }| ClassicLayout { code, jt, jf, k }).collect();
        let len = instructions.len() as u32;
        let mut program = Program { len, instructions: instructions.as_mut_ptr() };
        // SAFETY: the library copies the program.
        unsafe { (self.functions.set_filter)(self.raw.as_ptr(), &raw mut program) == 0 }
    }

    /// Moves to the next packet. False: none is there now.
    pub fn advance(&mut self, name: &str) -> Result<bool, FlowError> {
        let mut header = ptr::null_mut::<Header>();
        let mut data = ptr::null();
        self.seen = None;
        // SAFETY: an active handle, and places for two addresses.
        let answer = unsafe { (self.functions.next)(self.raw.as_ptr(), &raw mut header, &raw mut data) };
        match answer {
            // SAFETY: the library says that a packet is there.
            1 => self.seen = Some(self.see(unsafe { &*header }, data)),
            0 => {}
            _ => return Err(self.broken(name)),
        }
        Ok(self.seen.is_some())
    }

    fn see(&self, header: &Header, data: *const u8) -> Seen {
        let (seconds, fraction) = (i64::from(header.seconds), i64::from(header.fraction));
        Seen {
            data,
            ts_ns: seconds.saturating_mul(1_000_000_000).saturating_add(fraction.saturating_mul(self.unit_ns)),
            captured_len: header.captured_len,
            wire_len: header.wire_len,
        }
    }

    /// The packet that it stands at, and its octets.
    pub fn seen(&self) -> Option<(&Seen, &[u8])> {
        let seen = self.seen.as_ref().filter(|seen| !seen.data.is_null())?;
        // SAFETY: so many octets are there until the next call of `advance`, which needs the handle for itself.
        let bytes = unsafe { std::slice::from_raw_parts(seen.data, seen.captured_len as usize) };
        Some((seen, bytes))
    }

    /// What was lost since the start; `None` where the system doesn't count.
    pub fn losses(&self) -> Option<Losses> {
        let mut counts = Counts::default();
        // SAFETY: room for the counts of every system.
        let answer = unsafe { (self.functions.stats)(self.raw.as_ptr(), &raw mut counts) };
        (answer == 0).then(|| Losses {
            received: u64::from(counts.received),
            by_system: u64::from(counts.dropped),
            by_interface: u64::from(counts.dropped_by_interface),
        })
    }

    fn broken(&self, name: &str) -> FlowError {
        let reason = self.error();
        // The library says it in words only.
        let down = ["went down", "disappeared", "no longer attached", "disconnected", "not up"];
        if down.iter().any(|words| reason.contains(words)) {
            return FlowError::InterfaceDown { interface: name.to_owned() };
        }
        FlowError::Io { op: "capture", source: std::io::Error::other(reason) }
    }

    fn error(&self) -> String {
        // SAFETY: the library's own text, which ends with 0.
        unsafe { CStr::from_ptr((self.functions.error)(self.raw.as_ptr())) }.to_string_lossy().into_owned()
    }
}

/// What the library wrote into a buffer for an error.
pub(super) fn message(buffer: &[c_char; ERROR_LEN]) -> String {
    let octets: Vec<u8> = buffer.iter().take_while(|&&c| c != 0).map(|&c| c as u8).collect();
    String::from_utf8_lossy(&octets).into_owned()
}

/// The link type of files by the library's own number, which differs from system to system for some.
fn from_dlt(number: c_int) -> LinkType {
    match number {
        // DLT_RAW is 12 or, on OpenBSD, 14.
        12 | 14 => LinkType::RAW,
        number => LinkType(u16::try_from(number).unwrap_or(u16::MAX)),
    }
}
