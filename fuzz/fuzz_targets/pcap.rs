//! Classic pcap, plain: any octets, in pieces of any length.
#![no_main]

mod capture_support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let magics: [[u8; 4]; 6] = [
        0xa1b2_c3d4_u32.to_le_bytes(),
        0xa1b2_c3d4_u32.to_be_bytes(),
        0xa1b2_3c4d_u32.to_le_bytes(),
        0xa1b2_3c4d_u32.to_be_bytes(),
        0xa1b2_cd34_u32.to_le_bytes(),
        0xa1b2_cd34_u32.to_be_bytes(),
    ];
    // The first octet chooses the variant, so that nothing is wasted on finding a magic number.
    let Some((first, rest)) = data.split_first() else { return };
    let bytes = [&magics[usize::from(*first) % magics.len()], rest].concat();
    capture_support::whole_equals_pieces(&bytes);
});
