//! Every compression: any octets after its magic number. What comes out is bounded here, what is allocated by the
//! limits of the reader.
#![no_main]

mod capture_support;

use tcpskein_core::capture::{DecodingInput, Filled, Input};

/// Decoded octets after which a bomb has proved that it is one.
const MAX_DECODED: usize = 64 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let magics: [&[u8]; 5] = [
        &[0x1f, 0x8b, 0x08],
        &[0x28, 0xb5, 0x2f, 0xfd],
        &[0x04, 0x22, 0x4d, 0x18],
        &[0xfd, b'7', b'z', b'X', b'Z', 0],
        &[0x50, 0x2a, 0x4d, 0x18],
    ];
    let Some((first, rest)) = data.split_first() else { return };
    let bytes = [magics[usize::from(*first) % magics.len()], rest].concat();
    let mut input = DecodingInput::open(Box::new(capture_support::Octets::new(bytes, 4096)));
    let mut out = vec![0; 1 << 20];
    let mut decoded = 0;
    while decoded < MAX_DECODED {
        match input.fill(&mut out) {
            Ok(Filled::Bytes(n)) => decoded += n,
            Ok(Filled::End) => break,
            Ok(Filled::NeedInput) => panic!("a whole input asked for more"),
            Err(error) => {
                assert_ne!(error.code(), "ERR_INTERNAL", "{error}");
                break;
            }
        }
    }
});
