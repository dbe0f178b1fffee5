//! Files cut at every octet, and with every octet changed: never a panic, and never a packet out of nothing.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

use tcpskein_testkit::frame;
use tcpskein_testkit::pcapng::Pcapng;

use crate::support::Reader;

fn classic() -> Vec<u8> {
    frame::pcap(&[(1, b"first".to_vec()), (2, b"second packet".to_vec()), (3, vec![])])
}

fn next_generation(big_endian: bool) -> Vec<u8> {
    let mut file = Pcapng::new(big_endian);
    let count = file.u64(5);
    file.section(big_endian, &[(1, b"comment"), (3, b"os")]);
    file.interface(1, 0, &[(2, b"eth0"), (9, &[9]), (11, b"\0tcp")]).interface(101, 64, &[(9, &[0x8a])]);
    file.packet(0, 1, b"first").enhanced(1, 2, b"second", 60, &[(1, b"why"), (4, &count)]);
    file.simple(3, b"abc").obsolete(1, 2, 3, b"old", &[(1, b"hi")]);
    file.statistics(0, &[(4, &count), (5, &count)]).block(4, &[0; 8]).block(10, &[1; 12]).block(0x0bad, &[2; 8]);
    file.section(!big_endian, &[]).interface(1, 0, &[]).packet(0, 9, b"third");
    file.bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn fixture_cut_at_every_octet_gives_a_prefix_of_its_packets() {
    let mut reader = Reader::new();
    for whole in [classic(), next_generation(false), next_generation(true), gzip(&classic())] {
        let expected = reader.any(&whole);
        assert_eq!(expected.message(), "");
        for len in 0..whole.len() {
            let run = reader.any(&whole[..len]);
            assert!(expected.packets.starts_with(&run.packets), "cut at {len}");
            assert!(run.error.is_none_or(|error| error.code() != "ERR_INTERNAL"), "cut at {len}");
        }
    }
}

#[test]
fn fixture_with_any_octet_changed_never_panics() {
    let mut reader = Reader::new();
    for whole in [classic(), next_generation(false), next_generation(true), gzip(&classic())] {
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= change;
                let run = reader.any(&changed);
                assert!(run.packets.len() <= 8, "octet {at} ^ {change:#x}: {} packets", run.packets.len());
                assert!(run.error.is_none_or(|error| error.code() != "ERR_INTERNAL"), "octet {at} ^ {change:#x}");
            }
        }
    }
}
