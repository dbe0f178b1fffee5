//! The filter: any text is compiled or refused with a place inside it, and a compiled filter takes any packet.
//!
//! Input: the expression up to the first 0 octet, then the packet. Each link layer is tried, since each has
//! a program of its own.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use tcpskein_core::capture::LinkType;
use tcpskein_core::filter::Filter;

const LINKS: [u16; 18] = [0, 1, 8, 9, 101, 104, 108, 113, 117, 166, 178, 204, 226, 228, 229, 258, 276, 9999];

/// What every name of a host stands for.
fn lookup(_: &str) -> Vec<IpAddr> {
    vec![IpAddr::from([10, 0, 0, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])]
}

fuzz_target!(|input: &[u8]| {
    let split = input.iter().position(|octet| *octet == 0).unwrap_or(input.len());
    let (text, rest) = input.split_at(split);
    let data = rest.get(1..).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(text) else { return };
    match Filter::compile_with(text, &lookup) {
        Ok(filter) => {
            for link in LINKS {
                let _ = filter.chooses(LinkType(link), data, u32::try_from(data.len()).unwrap_or(u32::MAX));
            }
        }
        Err(error) => {
            assert!(error.offset() <= text.len());
            assert!(error.picture().lines().count() == 2);
        }
    }
});
