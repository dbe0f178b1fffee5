//! libpcap (Npcap on Windows), loaded when it is first needed: `pcap.h` as far as it is used here.
//!
//! Each function of the library is one field of [`Functions`]; the calls are in `handle.rs`.

#[cfg(any(windows, test))]
use std::ffi::c_void;
use std::ffi::{CStr, c_char, c_int, c_uint};
use std::sync::OnceLock;

use libloading::Library;
use tcpskein_core::error::FlowError;

/// Names of the library, the first that can be loaded counts.
#[cfg(target_os = "macos")]
const NAMES: &[&str] = &["/usr/lib/libpcap.A.dylib", "libpcap.A.dylib", "libpcap.dylib"];
#[cfg(all(unix, not(target_os = "macos")))]
const NAMES: &[&str] = &["libpcap.so.1", "libpcap.so.0.8", "libpcap.so"];
#[cfg(windows)]
const NAMES: &[&str] = &["C:\\Windows\\System32\\Npcap\\wpcap.dll", "wpcap.dll"];

/// `PCAP_ERRBUF_SIZE`.
pub(super) const ERROR_LEN: usize = 256;

/// `pcap_t`.
#[repr(C)]
pub(super) struct RawHandle {
    _private: [u8; 0],
}

/// `struct timeval`, whose members have other lengths on each system.
#[cfg(unix)]
pub(super) type Seconds = libc::time_t;
#[cfg(unix)]
pub(super) type Fraction = libc::suseconds_t;
#[cfg(windows)]
pub(super) type Seconds = i32;
#[cfg(windows)]
pub(super) type Fraction = i32;

/// `struct pcap_pkthdr`.
#[repr(C)]
pub(super) struct Header {
    pub(super) seconds: Seconds,
    pub(super) fraction: Fraction,
    pub(super) captured_len: u32,
    pub(super) wire_len: u32,
}

/// `struct pcap_stat`; Windows appends members.
#[repr(C)]
#[derive(Default)]
pub(super) struct Counts {
    pub(super) received: c_uint,
    pub(super) dropped: c_uint,
    pub(super) dropped_by_interface: c_uint,
    pub(super) windows: [c_uint; 3],
}

/// `struct bpf_program`.
#[repr(C)]
pub(super) struct Program {
    pub(super) len: c_uint,
    pub(super) instructions: *mut ClassicLayout,
}

/// `struct bpf_insn`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ClassicLayout {
    pub(super) code: u16,
    pub(super) jt: u8,
    pub(super) jf: u8,
    pub(super) k: u32,
}

pub(super) type Setter = unsafe extern "C" fn(*mut RawHandle, c_int) -> c_int;

/// The functions.
pub(super) struct Functions {
    pub(super) create: unsafe extern "C" fn(*const c_char, *mut c_char) -> *mut RawHandle,
    pub(super) close: unsafe extern "C" fn(*mut RawHandle),
    pub(super) activate: Setter,
    pub(super) set_snaplen: Setter,
    pub(super) set_promisc: Setter,
    pub(super) set_timeout: Setter,
    pub(super) set_buffer_size: Setter,
    /// Younger functions; what they do is done without where they are missing.
    pub(super) set_tstamp_precision: Option<Setter>,
    pub(super) set_direction: Option<Setter>,
    pub(super) set_nonblock: unsafe extern "C" fn(*mut RawHandle, c_int, *mut c_char) -> c_int,
    pub(super) set_filter: unsafe extern "C" fn(*mut RawHandle, *mut Program) -> c_int,
    pub(super) datalink: unsafe extern "C" fn(*mut RawHandle) -> c_int,
    pub(super) next: unsafe extern "C" fn(*mut RawHandle, *mut *mut Header, *mut *const u8) -> c_int,
    pub(super) stats: unsafe extern "C" fn(*mut RawHandle, *mut Counts) -> c_int,
    pub(super) error: unsafe extern "C" fn(*mut RawHandle) -> *mut c_char,
    #[cfg(any(windows, test))]
    pub(super) find_all: unsafe extern "C" fn(*mut *mut c_void, *mut c_char) -> c_int,
    #[cfg(any(windows, test))]
    pub(super) free_all: unsafe extern "C" fn(*mut c_void),
    /// The functions are the library's: it stays loaded.
    _library: Library,
}

/// The library, loaded once.
pub(super) fn functions() -> Result<&'static Functions, FlowError> {
    static LOADED: OnceLock<Result<Functions, String>> = OnceLock::new();
    LOADED.get_or_init(load).as_ref().map_err(|reason| FlowError::LiveUnsupported { reason: reason.clone() })
}

fn load() -> Result<Functions, String> {
    // SAFETY: loading libpcap runs no code but its own start-up, which has no conditions.
    let library = NAMES.iter().find_map(|name| unsafe { Library::new(*name) }.ok()).ok_or_else(|| {
        if cfg!(windows) {
            "Npcap is not installed (https://npcap.com)".to_owned()
        } else {
            format!("libpcap is not installed ({})", NAMES.join(", "))
        }
    })?;
    // SAFETY: the signatures above are those of pcap.h.
    unsafe { find(library) }.map_err(|error| format!("libpcap is too old: {error}"))
}

/// # Safety
/// `library` is libpcap.
unsafe fn find(library: Library) -> Result<Functions, libloading::Error> {
    /// # Safety
    /// The function `name` has the type `T`.
    unsafe fn get<T: Copy>(library: &Library, name: &CStr) -> Result<T, libloading::Error> {
        // SAFETY: the caller's word.
        unsafe { library.get::<T>(name) }.map(|symbol| *symbol)
    }
    // SAFETY: each name has its type from pcap.h.
    unsafe {
        Ok(Functions {
            create: get(&library, c"pcap_create")?,
            close: get(&library, c"pcap_close")?,
            activate: get::<Setter>(&library, c"pcap_activate")?,
            set_snaplen: get(&library, c"pcap_set_snaplen")?,
            set_promisc: get(&library, c"pcap_set_promisc")?,
            set_timeout: get(&library, c"pcap_set_timeout")?,
            set_buffer_size: get(&library, c"pcap_set_buffer_size")?,
            set_tstamp_precision: get(&library, c"pcap_set_tstamp_precision").ok(),
            set_direction: get(&library, c"pcap_setdirection").ok(),
            set_nonblock: get(&library, c"pcap_setnonblock")?,
            set_filter: get(&library, c"pcap_setfilter")?,
            datalink: get(&library, c"pcap_datalink")?,
            next: get(&library, c"pcap_next_ex")?,
            stats: get(&library, c"pcap_stats")?,
            error: get(&library, c"pcap_geterr")?,
            #[cfg(any(windows, test))]
            find_all: get(&library, c"pcap_findalldevs")?,
            #[cfg(any(windows, test))]
            free_all: get(&library, c"pcap_freealldevs")?,
            _library: library,
        })
    }
}
