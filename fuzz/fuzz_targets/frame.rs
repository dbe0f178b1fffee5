//! Random frames of random link types through the frame decoder: nothing panics, offsets lie where they say, and the
//! defragmenter keeps its bound.
//!
//! Input: two octets of link type, one of options, then frames, each behind its length (two octets) and link type
//! choice (one octet).
#![no_main]

use libfuzzer_sys::fuzz_target;
use tcpskein_core::capture::{LinkType, Packet};
use tcpskein_core::decode::checksum::ChecksumMode;
use tcpskein_core::decode::{DecodeOptions, Decoder, Segment};

const MAX_HELD: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&[high, low, choices], mut rest)) = data.split_first_chunk() else { return };
    let mut options = DecodeOptions {
        decap: choices & 1 == 0,
        ignore_encap: choices & 2 == 0,
        checksum: if choices & 4 == 0 { ChecksumMode::Drop } else { ChecksumMode::Ignore },
        ..DecodeOptions::default()
    };
    options.fragments.max_octets = MAX_HELD;
    let mut decoder = Decoder::new(options);
    let mut number = 0;
    while let Some((&[len_high, len_low, plain], behind)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([len_high, len_low])).min(behind.len());
        let (frame, next) = behind.split_at(len);
        rest = next;
        number += 1;
        let link = if plain & 1 == 0 { LinkType::ETHERNET } else { LinkType(u16::from_be_bytes([high, low]) % 300) };
        decode(&mut decoder, link, number, frame);
    }
});

fn decode(decoder: &mut Decoder, link: LinkType, number: u64, frame: &[u8]) {
    let len = frame.len() as u32;
    let ts_ns = number as i64 * 1_000_000_000;
    let packet = Packet { number, ts_ns, start: 0, captured_len: len, wire_len: len, link, interface: 0, capture: 0 };
    let Ok(datagram) = decoder.decode(&packet, frame) else { return };
    assert!(datagram.packets >= 1 && datagram.octets > 0);
    let _ = Segment::parse(&datagram);
    if !datagram.reassembled {
        let at = datagram.upper_offset as usize;
        assert_eq!(&frame[at..at + datagram.upper.len()], datagram.upper);
        assert!(frame[datagram.ip_offset as usize..].starts_with(datagram.packet));
    }
}
