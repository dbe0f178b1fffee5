//! What interfaces the library knows: where the system's own list needs it (Windows), and for tests elsewhere.

use std::ffi::{CStr, c_char, c_uint, c_void};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use tcpskein_core::error::FlowError;

use super::handle::message;
use super::library::{ERROR_LEN, functions};

/// An interface as the library tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub name: String,
    pub description: Option<String>,
    pub addresses: Vec<(IpAddr, Option<IpAddr>)>,
    pub flags: u32,
}

/// Flags of a device.
pub(crate) const LOOPBACK: u32 = 1;
pub(crate) const UP: u32 = 2;
#[cfg(windows)]
pub(crate) const RUNNING: u32 = 4;

/// `pcap_if_t`.
#[repr(C)]
struct RawDevice {
    next: *const RawDevice,
    name: *const c_char,
    description: *const c_char,
    addresses: *const RawAddress,
    flags: c_uint,
}

/// `pcap_addr_t`.
#[repr(C)]
struct RawAddress {
    next: *const RawAddress,
    address: *const u8,
    netmask: *const u8,
    broadcast: *const u8,
    destination: *const u8,
}

/// Every interface that the library can capture on.
///
/// # Errors
/// [`FlowError::LiveUnsupported`] where there is no library, or it can't tell.
pub(crate) fn devices() -> Result<Vec<Device>, FlowError> {
    let functions = functions()?;
    let mut list = ptr::null_mut::<c_void>();
    let mut error = [0 as c_char; ERROR_LEN];
    // SAFETY: a place for an address, and room for an error.
    if unsafe { (functions.find_all)(&raw mut list, error.as_mut_ptr()) } != 0 {
        return Err(FlowError::LiveUnsupported { reason: message(&error) });
    }
    let mut found = Vec::new();
    let mut next: *const RawDevice = list.cast_const().cast();
    // SAFETY: the library's own list, which ends with a null, until it is freed below.
    while let Some(device) = unsafe { next.as_ref() } {
        // SAFETY: the same.
        found.push(unsafe { read(device) });
        next = device.next;
    }
    // SAFETY: the list that was given, once.
    unsafe { (functions.free_all)(list) };
    Ok(found)
}

/// # Safety
/// A device of the library's list.
unsafe fn read(device: &RawDevice) -> Device {
    let mut addresses = Vec::new();
    let mut next = device.addresses;
    // SAFETY: as the caller says.
    while let Some(address) = unsafe { next.as_ref() } {
        // SAFETY: as the caller says.
        unsafe {
            if let Some(ip) = ip(address.address) {
                addresses.push((ip, self::ip(address.netmask)));
            }
        }
        next = address.next;
    }
    // SAFETY: as the caller says.
    let (name, description) = unsafe { (text(device.name), text(device.description)) };
    Device { name: name.unwrap_or_default(), description, addresses, flags: device.flags }
}

/// # Safety
/// A text that ends with 0, or null.
unsafe fn text(at: *const c_char) -> Option<String> {
    // SAFETY: as the caller says.
    (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) }.to_string_lossy().into_owned())
}

/// The address in a `struct sockaddr`.
///
/// # Safety
/// A whole one, or null.
unsafe fn ip(at: *const u8) -> Option<IpAddr> {
    const IPV4: u16 = 2;
    const IPV6: u16 = if cfg!(windows) {
        23
    } else if cfg!(target_os = "macos") {
        30
    } else if cfg!(target_os = "freebsd") {
        28
    } else if cfg!(target_os = "linux") {
        10
    } else {
        24
    };
    if at.is_null() {
        return None;
    }
    // SAFETY: as the caller says; a `sockaddr` has two octets for its family, or one for its length and one for that.
    let head = unsafe { [*at, *at.add(1)] };
    let family = if cfg!(any(windows, target_os = "linux")) { u16::from_ne_bytes(head) } else { u16::from(head[1]) };
    match family {
        // SAFETY: a `sockaddr_in`: port, then four octets.
        IPV4 => Some(IpAddr::V4(Ipv4Addr::from(unsafe { at.add(4).cast::<[u8; 4]>().read_unaligned() }))),
        // SAFETY: a `sockaddr_in6`: port, flow label, then 16 octets.
        IPV6 => Some(IpAddr::V6(Ipv6Addr::from(unsafe { at.add(8).cast::<[u8; 16]>().read_unaligned() }))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    #[expect(clippy::print_stderr, reason = "a test is skipped loudly")]
    fn devices_hold_the_loopback() {
        match devices() {
            Ok(found) => {
                let lo = found.iter().find(|device| device.flags & LOOPBACK != 0);
                let Some(lo) = lo else { return eprintln!("skipped: libpcap sees no loopback here") };
                assert_eq!(lo.name, "lo");
                let local = (IpAddr::from([127, 0, 0, 1]), Some(IpAddr::from([255, 0, 0, 0])));
                assert!(lo.flags & UP == 0 || lo.addresses.contains(&local), "{lo:?}");
            }
            Err(error) => eprintln!("skipped: {error}"),
        }
    }
}
