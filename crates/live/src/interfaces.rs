//! Which interfaces there are.

use std::net::IpAddr;

use tcpskein_core::error::FlowError;

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The address.
    pub address: IpAddr,
    /// Bits of it that name its network, where that is known.
    pub prefix_len: Option<u8>,
}

/// What an interface is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceFlags {
    /// It is switched on.
    pub up: bool,
    /// It can carry packets: a cable is plugged in.
    pub running: bool,
    /// Packets on it stay on this machine.
    pub loopback: bool,
    /// It can send to all at once.
    pub broadcast: bool,
    /// It can send to groups.
    pub multicast: bool,
    /// It has one peer.
    pub point_to_point: bool,
    /// It takes packets for other machines.
    pub promiscuous: bool,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name: what a capture is opened with.
    pub name: String,
    /// What it is, in words, where the system has any.
    pub description: Option<String>,
    /// Its number in the system, where it has one.
    pub index: Option<u32>,
    /// Its hardware address, where it has one.
    pub mac: Option<[u8; 6]>,
    /// Its addresses.
    pub addresses: Vec<InterfaceAddress>,
    /// What it is like.
    pub flags: InterfaceFlags,
}

/// Every interface, in the system's order; also those that are down.
///
/// # Errors
/// [`FlowError::Io`] where the system refuses; on Windows [`FlowError::LiveUnsupported`] without Npcap.
pub fn interfaces() -> Result<Vec<Interface>, FlowError> {
    system::interfaces()
}

/// The bits of a network mask, which stand at its start.
fn prefix_len(mask: IpAddr) -> u8 {
    let bits = match mask {
        IpAddr::V4(mask) => mask.to_bits().leading_ones(),
        IpAddr::V6(mask) => mask.to_bits().leading_ones(),
    };
    // At most 128.
    bits as u8
}

#[cfg(windows)]
mod system {
    use super::{Interface, InterfaceAddress, InterfaceFlags, prefix_len};
    use crate::pcap::{Device, LOOPBACK, RUNNING, UP, devices};
    use tcpskein_core::error::FlowError;

    pub fn interfaces() -> Result<Vec<Interface>, FlowError> {
        Ok(devices()?.into_iter().map(interface).collect())
    }

    fn interface(device: Device) -> Interface {
        let Device { name, description, addresses, flags } = device;
        let addresses =
            addresses.into_iter().map(|(address, mask)| InterfaceAddress { address, prefix_len: mask.map(prefix_len) });
        Interface {
            name,
            description,
            addresses: addresses.collect(),
            flags: InterfaceFlags {
                loopback: flags & LOOPBACK != 0,
                up: flags & UP != 0,
                running: flags & RUNNING != 0,
                ..InterfaceFlags::default()
            },
            ..Interface::default()
        }
    }
}

#[cfg(unix)]
mod system {
    use std::ffi::CStr;
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::ptr;

    use super::{Interface, InterfaceAddress, InterfaceFlags, prefix_len};
    use tcpskein_core::error::FlowError;

    /// The system's list has one entry for each address.
    pub fn interfaces() -> Result<Vec<Interface>, FlowError> {
        let mut list = ptr::null_mut();
        // SAFETY: a place for an address.
        if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
            return Err(FlowError::Io { op: "list interfaces", source: io::Error::last_os_error() });
        }
        let mut found: Vec<Interface> = Vec::new();
        let mut next = list;
        // SAFETY: the system's own list, which ends with a null, until it is freed below.
        while let Some(entry) = unsafe { next.as_ref() } {
            // SAFETY: every entry has a name that ends with 0.
            let name = unsafe { CStr::from_ptr(entry.ifa_name) };
            let text = name.to_string_lossy();
            let place = found.iter().position(|known| known.name == text).unwrap_or_else(|| {
                // SAFETY: the name from above.
                let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
                let index = (index > 0).then_some(index);
                found.push(Interface { name: text.into_owned(), index, ..Interface::default() });
                found.len() - 1
            });
            // SAFETY: an entry of the list.
            unsafe { add(&mut found[place], entry) };
            next = entry.ifa_next;
        }
        // SAFETY: the list that was given, once.
        unsafe { libc::freeifaddrs(list) };
        Ok(found)
    }

    /// # Safety
    /// An entry of the system's list.
    unsafe fn add(interface: &mut Interface, entry: &libc::ifaddrs) {
        interface.flags = flags(entry.ifa_flags as libc::c_int);
        // SAFETY: as the caller says.
        unsafe {
            if let Some(address) = ip(entry.ifa_addr) {
                interface
                    .addresses
                    .push(InterfaceAddress { address, prefix_len: ip(entry.ifa_netmask).map(prefix_len) });
            } else if let Some(mac) = mac(entry.ifa_addr) {
                interface.mac = Some(mac);
            }
        }
    }

    fn flags(bits: libc::c_int) -> InterfaceFlags {
        let has = |bit: libc::c_int| bits & bit != 0;
        InterfaceFlags {
            up: has(libc::IFF_UP),
            running: has(libc::IFF_RUNNING),
            loopback: has(libc::IFF_LOOPBACK),
            broadcast: has(libc::IFF_BROADCAST),
            multicast: has(libc::IFF_MULTICAST),
            point_to_point: has(libc::IFF_POINTOPOINT),
            promiscuous: has(libc::IFF_PROMISC),
        }
    }

    /// # Safety
    /// A whole address of the kind that it says, or null.
    unsafe fn ip(address: *const libc::sockaddr) -> Option<IpAddr> {
        // SAFETY: as the caller says.
        let family = libc::c_int::from(unsafe { address.as_ref() }?.sa_family);
        match family {
            // SAFETY: as the caller says; read as octets, since nothing promises that it is aligned.
            libc::AF_INET => Some(IpAddr::V4(Ipv4Addr::from(unsafe {
                (&raw const (*address.cast::<libc::sockaddr_in>()).sin_addr).cast::<[u8; 4]>().read_unaligned()
            }))),
            // SAFETY: the same.
            libc::AF_INET6 => Some(IpAddr::V6(Ipv6Addr::from(unsafe {
                (&raw const (*address.cast::<libc::sockaddr_in6>()).sin6_addr).cast::<[u8; 16]>().read_unaligned()
            }))),
            _ => None,
        }
    }

    /// # Safety
    /// A whole address of the kind that it says, or null.
    #[cfg(target_os = "linux")]
    unsafe fn mac(address: *const libc::sockaddr) -> Option<[u8; 6]> {
        // SAFETY: as the caller says.
        if libc::c_int::from(unsafe { address.as_ref() }?.sa_family) != libc::AF_PACKET {
            return None;
        }
        // SAFETY: as the caller says.
        let address = unsafe { address.cast::<libc::sockaddr_ll>().read_unaligned() };
        let mac = address.sll_addr.first_chunk::<6>().copied()?;
        (address.sll_halen == 6 && mac != [0; 6]).then_some(mac)
    }

    /// # Safety
    /// A whole address of the kind that it says, or null.
    #[cfg(not(target_os = "linux"))]
    unsafe fn mac(address: *const libc::sockaddr) -> Option<[u8; 6]> {
        // SAFETY: as the caller says.
        if libc::c_int::from(unsafe { address.as_ref() }?.sa_family) != libc::AF_LINK {
            return None;
        }
        // SAFETY: as the caller says.
        let address = unsafe { address.cast::<libc::sockaddr_dl>().read_unaligned() };
        // The address stands behind the name.
        let start = usize::from(address.sdl_nlen);
        let octets = address.sdl_data.get(start..start + 6)?;
        let mut mac = [0; 6];
        mac.iter_mut().zip(octets).for_each(|(to, from)| *to = *from as u8);
        (address.sdl_alen == 6).then_some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_the_mask_s_ones() {
        for (mask, bits) in
            [("255.255.255.0", 24), ("0.0.0.0", 0), ("ffff:ffff:ffff:ffff::", 64), ("255.255.255.255", 32)]
        {
            assert_eq!(prefix_len(mask.parse().unwrap()), bits, "{mask}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn interfaces_hold_the_loopback() {
        let found = interfaces().unwrap();
        let Some(lo) = found.iter().find(|one| one.flags.loopback) else { return };
        assert!(lo.index.is_some() && lo.mac.is_none());
        let local = InterfaceAddress { address: "127.0.0.1".parse().unwrap(), prefix_len: Some(8) };
        assert!(!lo.flags.up || lo.addresses.contains(&local), "{lo:?}");
    }
}
