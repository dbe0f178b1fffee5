//! pcapng, plain: any octets after a section header's type, in pieces of any length.
#![no_main]

mod capture_support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes = [&[0x0a, 0x0d, 0x0d, 0x0a], data].concat();
    capture_support::whole_equals_pieces(&bytes);
});
