//! The filter: any text is compiled or refused with a place inside it, and a compiled filter takes any packet.
//!
//! Input: the expression up to the first 0 octet, then the packet. Each link layer is tried, since each has
//! a program of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tcpskein_core::capture::LinkType;
use tcpskein_core::filter::Filter;

const LINKS: [u16; 11] = [0, 1, 9, 101, 104, 108, 113, 228, 229, 276, 9999];

fuzz_target!(|input: &[u8]| {
    let split = input.iter().position(|octet| *octet == 0).unwrap_or(input.len());
    let (text, rest) = input.split_at(split);
    let data = rest.get(1..).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(text) else { return };
    match Filter::compile(text) {
        Ok(filter) => {
            for link in LINKS {
                let _ = filter.matches(LinkType(link), data, u32::try_from(data.len()).unwrap_or(u32::MAX));
            }
        }
        Err(error) => {
            assert!(error.offset() <= text.len());
            assert!(error.picture().lines().count() == 2);
        }
    }
});
