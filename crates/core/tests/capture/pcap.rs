//! Classic pcap and its variants.

use tcpskein_core::capture::Resolution;

use crate::support::Reader;

/// A file of one variant: header, then records of seconds, fraction, captured and wire length, extra header, data.
struct File {
    big_endian: bool,
    bytes: Vec<u8>,
}

impl File {
    fn new(magic: u32, big_endian: bool, version: (u16, u16), snaplen: u32, link: u32) -> Self {
        let mut file = Self { big_endian, bytes: Vec::new() };
        file.u32(magic);
        file.u16(version.0);
        file.u16(version.1);
        file.u32(0);
        file.u32(0);
        file.u32(snaplen);
        file.u32(link);
        file
    }

    fn classic() -> Self {
        Self::new(0xa1b2_c3d4, false, (2, 4), 65535, 1)
    }

    fn u16(&mut self, n: u16) {
        self.bytes.extend(if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() });
    }

    fn u32(&mut self, n: u32) {
        self.bytes.extend(if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() });
    }

    fn record(mut self, time: (u32, u32), lengths: (u32, u32), rest: &[u8]) -> Self {
        for n in [time.0, time.1, lengths.0, lengths.1] {
            self.u32(n);
        }
        self.bytes.extend_from_slice(rest);
        self
    }
}

#[test]
fn pcap_of_each_magic_and_byte_order_gives_times_and_data() {
    for big_endian in [false, true] {
        for (magic, extra, unit, resolution) in
            [(0xa1b2_c3d4, 0, 1000, 6), (0xa1b2_3c4d, 0, 1, 9), (0xa1b2_cd34, 8, 1000, 6)]
        {
            let mut rest = vec![0xee; extra];
            rest.extend_from_slice(b"abc");
            let file = File::new(magic, big_endian, (2, 4), 65535, 113).record((7, 5), (3, 9), &rest).record(
                (8, 0),
                (3, 3),
                &rest,
            );
            let run = Reader::new().plain(&file.bytes);
            assert_eq!(run.message(), "");
            assert_eq!(run.data(), [b"abc", b"abc"]);
            assert_eq!(run.times(), [7_000_000_000 + 5 * unit, 8_000_000_000]);
            assert_eq!((run.packets[0].wire_len, run.packets[0].link), (9, 113));
            assert_eq!(run.info.big_endian, big_endian);
            assert_eq!(run.info.interfaces[0].resolution, Resolution::Decimal(resolution));
        }
    }
}

#[test]
fn pcap_with_more_captured_than_on_the_wire_raises_the_wire_length() {
    let run = Reader::new().plain(&File::classic().record((1, 0), (4, 2), b"abcd").bytes);
    assert_eq!((run.packets[0].wire_len, run.info.short_wire_lens), (4, 1));
}

#[test]
fn pcap_before_version_2_4_takes_swapped_lengths() {
    let file =
        File::new(0xa1b2_c3d4, true, (2, 2), 68, 1).record((1, 0), (9, 4), b"abcd").record((2, 0), (4, 9), b"efgh");
    let run = Reader::new().plain(&file.bytes);
    assert_eq!(run.data(), [b"abcd", b"efgh"]);
    assert!(run.packets.iter().all(|packet| packet.wire_len == 9));
}

#[test]
fn pcap_with_nothing_captured_goes_on() {
    let run = Reader::new().plain(&File::classic().record((1, 0), (0, 60), b"").record((2, 0), (1, 1), b"x").bytes);
    assert_eq!(run.data(), [b"".as_slice(), b"x"]);
    assert_eq!(run.packets[0].wire_len, 60);
}

#[test]
fn pcap_joined_with_another_stops_at_the_second_header() {
    let one = File::classic().record((1, 0), (1, 1), b"x").bytes;
    let run = Reader::new().plain(&[one.clone(), one.clone()].concat());
    assert_eq!(run.packets.len(), 1);
    let error = run.error.as_ref().unwrap();
    assert_eq!((error.code(), error.offset()), ("ERR_CAPTURE_DAMAGED", Some(one.len() as u64)));
    assert!(run.message().contains("another pcap file begins here"), "{}", run.message());
}

#[test]
fn pcap_with_odd_header_fields_is_read_with_notes() {
    let file = File::new(0xa1b2_c3d4, false, (99, 99), 0xffff_ffff, 0x0020_0001).record((1, 0), (1, 1), b"x");
    let run = Reader::new().plain(&file.bytes);
    assert_eq!((run.packets.len(), run.message().as_str()), (1, ""));
    assert_eq!(run.packets[0].link, 1);
    let notes = run.info.notes.join("\n");
    for words in ["version 99.99", "snapshot length 4294967295", "0x00200001"] {
        assert!(notes.contains(words), "{notes}");
    }
}

#[test]
fn pcap_with_frame_check_sequences_says_their_length() {
    let run = Reader::new().plain(&File::new(0xa1b2_c3d4, false, (2, 4), 65535, 0x2400_0001).bytes);
    assert_eq!((run.info.interfaces[0].fcs_len, run.info.interfaces[0].link.0), (Some(4), 1));
    assert!(run.info.notes.is_empty());
}

#[test]
fn pcap_of_version_1_is_refused() {
    let run = Reader::new().plain(&File::new(0xa1b2_c3d4, false, (1, 0), 68, 1).bytes);
    assert_eq!(run.message(), "ERR_CAPTURE_FORMAT offset 4: pcap version 1.0 is not known");
}

#[test]
fn pcap_with_impossible_length_is_damaged_and_keeps_what_came_before() {
    let file = File::classic().record((1, 0), (1, 1), b"x").record((2, 0), (262_145, 262_145), b"");
    let run = Reader::new().plain(&file.bytes);
    assert_eq!(run.packets.len(), 1);
    assert!(run.message().starts_with("ERR_CAPTURE_DAMAGED offset 41: "), "{}", run.message());
}
