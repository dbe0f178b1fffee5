//! The socket: each function is one system call, with what it answers as a `Result`.

use std::ffi::{CStr, CString, c_int, c_void};
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use tcpskein_core::capture::LinkType;
use tcpskein_core::error::FlowError;
use tcpskein_core::filter::ClassicInstruction;

use super::frame::{ARPHRD_LOOPBACK, link_type};
use crate::privilege::not_permitted;

/// linux/if_packet.h
const PACKET_IGNORE_OUTGOING: c_int = 23;
const TPACKET_V3: c_int = 2;

/// A `ClassicInstruction` as the kernel wants it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Instruction(libc::sock_filter);

impl Instruction {
    /// No packet.
    pub const RETURN_NOTHING: Self = Self::new(0x06, 0, 0, 0);

    pub const fn new(code: u16, jt: u8, jf: u8, k: u32) -> Self {
        Self(libc::sock_filter { code, jt, jf, k })
    }
}

impl From<ClassicInstruction> for Instruction {
    fn from(ClassicInstruction { code, jt, jf, k }: ClassicInstruction) -> Self {
        Self::new(code, jt, jf, k)
    }
}

/// What a ring is to be (`struct tpacket_req3`).
pub(super) struct RingRequest {
    pub block_size: u32,
    pub block_count: u32,
    pub frame_size: u32,
    pub frame_count: u32,
    pub retire_ms: u32,
}

/// An AF_PACKET socket.
pub(super) struct Socket(Arc<OwnedFd>);

impl Socket {
    /// A socket that gets nothing until it is bound.
    pub fn new(interface: &str) -> Result<Self, FlowError> {
        // SAFETY: takes numbers only.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            let source = io::Error::last_os_error();
            return Err(match source.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => not_permitted(interface),
                Some(libc::EAFNOSUPPORT) => {
                    FlowError::LiveUnsupported { reason: "this kernel has no AF_PACKET sockets".to_owned() }
                }
                _ => FlowError::Io { op: "open a packet socket", source },
            });
        }
        // SAFETY: a descriptor that was just opened and that nobody else has.
        let socket = Self(Arc::new(unsafe { OwnedFd::from_raw_fd(fd) }));
        socket.set(libc::PACKET_VERSION, &TPACKET_V3).map_err(|source| FlowError::LiveUnsupported {
            reason: format!("this kernel has no TPACKET_V3 rings: {source}"),
        })?;
        Ok(socket)
    }

    pub fn descriptor(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.0)
    }

    /// The link type of an interface that can be captured on.
    pub fn check_interface(&self, name: &str, cooked: bool) -> Result<LinkType, FlowError> {
        let flags = self.ask(name, libc::SIOCGIFFLAGS).map_err(|source| unknown(name, &source))?;
        // SAFETY: the request fills this member.
        let flags = c_int::from(unsafe { flags.ifr_ifru.ifru_flags });
        if flags & libc::IFF_UP == 0 {
            return Err(FlowError::Interface { interface: name.to_owned(), reason: "it is not up".to_owned() });
        }
        let hardware = self.hardware(name).map_err(|source| unknown(name, &source))?;
        Ok(if cooked { LinkType::LINUX_SLL2 } else { link_type(hardware) })
    }

    pub fn is_loopback(&self, name: &str) -> bool {
        self.hardware(name).is_ok_and(|hardware| hardware == ARPHRD_LOOPBACK)
    }

    fn hardware(&self, name: &str) -> io::Result<u16> {
        let answer = self.ask(name, libc::SIOCGIFHWADDR)?;
        // SAFETY: the request fills this member.
        Ok(unsafe { answer.ifr_ifru.ifru_hwaddr }.sa_family)
    }

    fn ask(&self, name: &str, request: libc::Ioctl) -> io::Result<libc::ifreq> {
        // SAFETY: plain data, for which all zeros is a value.
        let mut question: libc::ifreq = unsafe { zeroed() };
        let octets = name.as_bytes();
        // The last octet stays 0.
        if octets.len() >= question.ifr_name.len() {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        for (to, from) in question.ifr_name.iter_mut().zip(octets) {
            *to = from.cast_signed() as libc::c_char;
        }
        // SAFETY: these requests take an `ifreq` and answer in it.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), request, &raw mut question) })?;
        Ok(question)
    }

    /// What this machine sends doesn't come. Kernels before 4.20 can't; then it is left out later.
    pub fn ignore_outgoing(&self) {
        let _ = self.set(PACKET_IGNORE_OUTGOING, &1_i32);
    }

    /// Attaches a filter. False: the kernel doesn't take it.
    pub fn attach(&self, program: &[Instruction]) -> bool {
        let Ok(len) = u16::try_from(program.len()) else { return false };
        // The kernel only reads it. `Instruction` is a `sock_filter`.
        let filter = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
        self.set_at(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter).is_ok()
    }

    /// Asks for a ring and maps it.
    pub fn map_ring(&self, request: &RingRequest, len: usize) -> io::Result<NonNull<u8>> {
        let request = libc::tpacket_req3 {
            tp_block_size: request.block_size,
            tp_block_nr: request.block_count,
            tp_frame_size: request.frame_size,
            tp_frame_nr: request.frame_count,
            tp_retire_blk_tov: request.retire_ms,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        self.set(libc::PACKET_RX_RING, &request)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping; the kernel has memory of exactly this length.
        let base =
            unsafe { libc::mmap(std::ptr::null_mut(), len, protection, libc::MAP_SHARED, self.0.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at 0"))
    }

    /// Takes packets for other machines too, as long as the socket is open.
    pub fn promiscuous(&self, index: u32) -> Result<(), FlowError> {
        // SAFETY: plain data, for which all zeros is a value.
        let mut request: libc::packet_mreq = unsafe { zeroed() };
        request.mr_ifindex = index as c_int;
        request.mr_type = libc::PACKET_MR_PROMISC as u16;
        self.set(libc::PACKET_ADD_MEMBERSHIP, &request)
            .map_err(|source| FlowError::Io { op: "make the interface promiscuous", source })
    }

    /// Packets come from here on; `index` 0 is every interface.
    pub fn bind(&self, index: u32, name: &str) -> Result<(), FlowError> {
        // SAFETY: plain data, for which all zeros is a value.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index as c_int;
        let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: an address of its own type and length.
        check(unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), len) }).map_err(
            |source| match source.raw_os_error() {
                Some(libc::ENETDOWN) => FlowError::InterfaceDown { interface: name.to_owned() },
                Some(libc::ENODEV | libc::ENXIO) => unknown(name, &source),
                _ => FlowError::Io { op: "bind a packet socket", source },
            },
        )
    }

    /// # Errors
    /// [`FlowError::InterfaceDown`], once.
    #[inline]
    pub fn check(&self, name: &str) -> Result<(), FlowError> {
        match self.get::<c_int>(libc::SOL_SOCKET, libc::SO_ERROR) {
            Ok(0) | Err(_) => Ok(()),
            Ok(libc::ENETDOWN | libc::ENODEV | libc::ENXIO) => {
                Err(FlowError::InterfaceDown { interface: name.to_owned() })
            }
            Ok(code) => Err(FlowError::Io { op: "capture", source: io::Error::from_raw_os_error(code) }),
        }
    }

    /// Packets that passed the filter, and those of them that were dropped, since the last call.
    pub fn statistics(&self) -> (u64, u64) {
        self.get::<libc::tpacket_stats_v3>(libc::SOL_PACKET, libc::PACKET_STATISTICS)
            .map_or((0, 0), |stats| (u64::from(stats.tp_packets), u64::from(stats.tp_drops)))
    }

    fn set<T>(&self, name: c_int, value: &T) -> io::Result<()> {
        self.set_at(libc::SOL_PACKET, name, value)
    }

    fn set_at<T>(&self, level: c_int, name: c_int, value: &T) -> io::Result<()> {
        let value: *const c_void = (&raw const *value).cast();
        // SAFETY: the kernel reads at most as many octets as it is told. Each caller gives the type that its option has.
        check(unsafe { libc::setsockopt(self.0.as_raw_fd(), level, name, value, size_of::<T>() as libc::socklen_t) })
    }

    /// For plain numbers and structures of them.
    fn get<T: Copy>(&self, level: c_int, name: c_int) -> io::Result<T> {
        // SAFETY: both callers' types are plain data, for which all zeros is a value.
        let mut value: T = unsafe { zeroed() };
        let mut len = size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel writes at most as many octets as it is told.
        check(unsafe { libc::getsockopt(self.0.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut len) })?;
        Ok(value)
    }
}

fn check(answer: c_int) -> io::Result<()> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn unknown(name: &str, source: &io::Error) -> FlowError {
    let reason = match source.raw_os_error() {
        Some(libc::ENODEV | libc::ENXIO) => "there is no such interface".to_owned(),
        _ => format!("it can't be asked about: {source}"),
    };
    FlowError::Interface { interface: name.to_owned(), reason }
}

/// The interface's number in the system.
pub(super) fn interface_index(name: &str) -> Result<u32, FlowError> {
    let no_such =
        || FlowError::Interface { interface: name.to_owned(), reason: "there is no such interface".to_owned() };
    let text = CString::new(name).map_err(|_| no_such())?;
    // SAFETY: a text that ends with 0.
    match unsafe { libc::if_nametoindex(text.as_ptr()) } {
        0 => Err(no_such()),
        index => Ok(index),
    }
}

/// The interface's name, if it is still there.
pub(super) fn interface_name(index: u32) -> Option<String> {
    let mut name = [0 as libc::c_char; libc::IF_NAMESIZE];
    // SAFETY: room for the longest name and its end.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: the call ended the name with 0.
    Some(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
}
