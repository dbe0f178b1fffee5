//! Every pcapng block type, in both byte orders, and every way a block can be wrong.

use tcpskein_core::capture::{BlockKind, MAX_BLOCK_LEN, MAX_INTERFACES, MIN_BLOCK_LEN, Resolution};
use tcpskein_testkit::pcapng::Pcapng;

use crate::support::{Octets, Reader};

const ORDERS: [bool; 2] = [false, true];

fn file(big_endian: bool) -> Pcapng {
    Pcapng::new(big_endian)
}

#[test]
fn enhanced_packets_give_time_lengths_and_interface() {
    for order in ORDERS {
        let mut file = file(order);
        file.interface(1, 0, &[]).interface(101, 96, &[(9, &[9])]);
        file.packet(0, 1_500_000, b"first").enhanced(1, 0x1_0000_0002, b"second!", 90, &[]);
        let run = Reader::new().plain(&file.bytes);
        assert_eq!(run.message(), "");
        assert_eq!(run.data(), [b"first".as_slice(), b"second!"]);
        assert_eq!(run.times(), [1_500_000_000, 0x1_0000_0002]);
        let ids: Vec<_> = run.packets.iter().map(|p| (p.interface, p.link, p.wire_len)).collect();
        assert_eq!(ids, [(0, 1, 5), (1, 101, 90)]);
        assert_eq!(run.info.blocks.get(BlockKind::EnhancedPacket), 2);
        assert_eq!(run.info.interfaces[1].snaplen, 96);
    }
}

#[test]
fn simple_packets_are_cut_to_the_snapshot_length_and_have_no_time() {
    for order in ORDERS {
        let mut file = file(order);
        file.interface(1, 4, &[]).simple(3, b"abc").simple(100, b"abcd");
        let run = Reader::new().plain(&file.bytes);
        assert_eq!(run.message(), "");
        assert_eq!(run.data(), [b"abc".as_slice(), b"abcd"]);
        assert_eq!(run.packets[1].wire_len, 100);
        assert_eq!((run.times(), run.info.untimed_packets), (vec![0, 0], 2));
    }
}

#[test]
fn obsolete_packets_give_data_and_drops() {
    for order in ORDERS {
        let mut file = file(order);
        file.interface(1, 0, &[]).obsolete(0, 5, 1, b"abc", &[(1, b"hi")]).obsolete(0, 0xffff, 2, b"de", &[]);
        let run = Reader::new().plain(&file.bytes);
        assert_eq!(run.message(), "");
        assert_eq!(run.data(), [b"abc".as_slice(), b"de"]);
        assert_eq!(run.times(), [1000, 2000]);
        assert_eq!((run.info.interfaces[0].lost_packets, run.info.comments[0].as_str()), (5, "hi"));
    }
}

#[test]
fn interface_options_are_described() {
    for order in ORDERS {
        let mut file = file(order);
        let (speed, offset) = (file.u64(1_000_000_000), file.u64((-2_i64).cast_unsigned()));
        let options: &[(u16, &[u8])] = &[
            (2, b"eth0"),
            (3, b"uplink\0"),
            (8, &speed),
            (9, &[0x80 | 20]),
            (11, b"\0tcp port 80"),
            (13, &[4]),
            (14, &offset),
            (1, b"a comment"),
        ];
        file.interface(1, 65535, options).packet(0, (10 << 20) + (1 << 19), b"x");
        let run = Reader::new().plain(&file.bytes);
        let interface = &run.info.interfaces[0];
        assert_eq!(interface.name.as_deref(), Some("eth0"));
        assert_eq!(interface.description.as_deref(), Some("uplink"));
        assert_eq!(interface.filter.as_deref(), Some("tcp port 80"));
        assert_eq!((interface.speed_bps, interface.fcs_len, interface.offset_s), (Some(1_000_000_000), Some(4), -2));
        assert_eq!(interface.resolution, Resolution::Binary(20));
        assert_eq!(run.times(), [8_500_000_000]);
        assert_eq!((run.info.comment_count, run.info.comments[0].as_str()), (1, "a comment"));
    }
}

#[test]
fn statistics_and_drop_counts_are_kept_per_interface() {
    for order in ORDERS {
        let mut file = file(order);
        let counts = [10, 3, 9, 2, 7].map(|n| file.u64(n));
        file.interface(1, 0, &[]).interface(1, 0, &[]);
        let all: &[(u16, &[u8])] =
            &[(4, &counts[0]), (5, &counts[1]), (6, &counts[2]), (7, &counts[3]), (8, &counts[4])];
        file.statistics(1, all).statistics(1, &[(5, &counts[4])]);
        file.enhanced(0, 0, b"x", 1, &[(4, &counts[3])]).enhanced(0, 0, b"x", 1, &[(4, &counts[0])]);
        let run = Reader::new().plain(&file.bytes);
        assert_eq!(run.message(), "");
        let statistics = run.info.interfaces[1].statistics;
        assert_eq!((statistics.received, statistics.dropped), (Some(10), Some(7)));
        assert_eq!(
            (statistics.filter_accepted, statistics.os_dropped, statistics.delivered),
            (Some(9), Some(2), Some(7))
        );
        assert_eq!(run.info.interfaces[0].lost_packets, 12);
    }
}

#[test]
fn sections_change_byte_order_and_interfaces() {
    let mut file = Pcapng::new(false);
    file.interface(1, 0, &[]).interface(1, 0, &[]).packet(1, 1, b"a");
    file.section(true, &[(2, b"amd64"), (3, b"Linux"), (4, b"writer"), (1, b"second")]);
    file.interface(113, 0, &[(9, &[3])]).packet(0, 1, b"b");
    file.section(false, &[(3, b"other")]).interface(101, 0, &[]).packet(0, 2, b"c");
    let run = Reader::new().plain(&file.bytes);
    assert_eq!(run.message(), "");
    let seen: Vec<_> = run.packets.iter().map(|p| (p.interface, p.link, p.ts_ns)).collect();
    assert_eq!(seen, [(1, 1, 1000), (2, 113, 1_000_000), (3, 101, 2000)]);
    assert_eq!((run.info.sections, run.info.interface_count), (3, 4));
    assert_eq!(run.info.os.as_deref(), Some("Linux"));
    assert_eq!((run.info.hardware.as_deref(), run.info.application.as_deref()), (Some("amd64"), Some("writer")));
}

#[test]
fn blocks_without_packets_are_counted_by_kind() {
    for order in ORDERS {
        let mut file = file(order);
        file.interface(1, 0, &[]);
        for (kind, len) in [(4, 20), (10, 40), (9, 3), (0x0bad, 8), (0x4000_0bad, 4), (0x8000_0001, 0), (77, 12)] {
            file.block(kind, &vec![0xff; len]);
        }
        let run = Reader::new().plain(file.packet(0, 0, b"x").bytes.as_slice());
        assert_eq!((run.message().as_str(), run.packets.len()), ("", 1));
        let counts: Vec<_> = BlockKind::ALL.iter().map(|kind| run.info.blocks.get(*kind)).collect();
        assert_eq!(counts, [1, 1, 1, 0, 0, 1, 0, 1, 1, 2, 2]);
    }
}

#[test]
fn blocks_longer_than_a_block_buffer_are_passed_over() {
    for order in ORDERS {
        let mut file = file(order);
        let long = vec![b'c'; 60_000];
        let many: Vec<(u16, &[u8])> = vec![(1, &long); 20];
        file.section(order, &many).interface(1, 0, &many);
        file.block(10, &vec![1; 3 * MIN_BLOCK_LEN]).enhanced(0, 7, b"data", 4, &many).packet(0, 8, b"last");
        let run = Reader::new().plain(&file.bytes);
        assert_eq!(run.message(), "");
        assert_eq!(run.data(), [b"data", b"last"]);
        assert_eq!(run.info.bad_options, 0);
        assert!(run.info.comments.iter().all(|comment| comment.len() == 1024));
        // One of the section's and one of the interface's are near enough; five of the packet's.
        assert_eq!(run.info.comment_count, 1 + 1 + 5);
    }
}

#[test]
fn packets_of_any_length_survive_a_block_s_end_when_read_ahead() {
    // Blocks of 100 to 400 kB, mostly options: each end of what is read at once falls into another part of one.
    let mut file = Pcapng::new(false);
    file.interface(1, 0, &[]);
    let text = vec![b'c'; 60_000];
    for n in 0..40_u32 {
        let options: Vec<(u16, &[u8])> = vec![(1, &text); n as usize % 6];
        file.enhanced(0, n.into(), &vec![n as u8; 100_000 + n as usize], 200_000, &options);
    }
    let expected = Reader::new().plain(&file.bytes);
    assert_eq!((expected.message().as_str(), expected.packets.len()), ("", 40));
    let run = Reader::ahead(Box::new(Octets { bytes: file.bytes, position: 0, piece: 70_001 }));
    assert_eq!(run.message(), "");
    assert!(run.packets == expected.packets);
}

#[test]
fn comments_beyond_the_limit_are_only_counted() {
    let mut file = Pcapng::new(false);
    file.interface(1, 0, &[]);
    for _ in 0..100 {
        file.enhanced(0, 0, b"x", 1, &[(1, b"again")]);
    }
    let run = Reader::new().plain(&file.bytes);
    assert_eq!((run.info.comments.len(), run.info.comment_count), (64, 100));
}

#[test]
fn options_beyond_their_block_are_counted_and_harmless() {
    let mut file = Pcapng::new(false);
    file.block(1, &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 200, 0, b'e']).packet(0, 0, b"x");
    let run = Reader::new().plain(&file.bytes);
    assert_eq!((run.message().as_str(), run.packets.len(), run.info.bad_options), ("", 1, 1));
}

#[test]
fn wire_length_below_captured_length_is_raised() {
    let mut file = Pcapng::new(false);
    file.interface(1, 0, &[]).enhanced(0, 0, b"abcd", 2, &[]);
    let run = Reader::new().plain(&file.bytes);
    assert_eq!((run.packets[0].wire_len, run.info.short_wire_lens), (4, 1));
}

/// Builds a good packet, then something wrong; checks code, offset and words of the error.
fn wrong(words: &str, build: impl Fn(&mut Pcapng)) {
    for order in ORDERS {
        let mut file = file(order);
        file.interface(1, 0, &[]).packet(0, 0, b"good");
        let offset = file.bytes.len() as u64;
        build(&mut file);
        let run = Reader::new().plain(&file.bytes);
        assert_eq!(run.data(), [b"good"], "{words}");
        let error = run.error.as_ref().unwrap_or_else(|| panic!("no error: {words}"));
        assert!(error.offset().is_some_and(|at| (offset..offset + 16).contains(&at)), "{error}, at {offset}");
        assert!(run.message().contains(words), "{}", run.message());
    }
}

/// Overwrites a number `back` octets before the file's end.
fn patch(file: &mut Pcapng, back: usize, value: u32) {
    let at = file.bytes.len() - back;
    let octets = file.u32(value);
    file.bytes[at..at + 4].copy_from_slice(&octets);
}

#[test]
fn block_with_something_wrong_is_damaged_and_keeps_what_came_before() {
    let damaged = "ERR_CAPTURE_DAMAGED";
    wrong("is no byte-order magic", |f| {
        f.section(false, &[]);
        patch(f, 20, 0x1234_5678);
    });
    wrong("ERR_CAPTURE_FORMAT", |f| {
        f.section(false, &[]);
        let version = f.bytes.len() - 16;
        f.bytes[version..version + 4].copy_from_slice(&[2, 2, 0, 0]);
    });
    wrong("claims 0 octets, fewer than the 32", |f| {
        f.packet(0, 0, b"bad!");
        patch(f, 32, 0);
    });
    wrong("no multiple of 4", |f| {
        f.packet(0, 0, b"bad!");
        patch(f, 32, 37);
    });
    wrong("over the limit of 16777216", |f| {
        f.block(10, b"secrets!");
        patch(f, 16, MAX_BLOCK_LEN + 4);
    });
    wrong("says 36 octets at its start and 40 at its end", |f| {
        f.packet(0, 0, b"bad!");
        patch(f, 4, 40);
    });
    wrong("at its end", |f| {
        f.block(10, &vec![0; 200_000]);
        patch(f, 4, 12);
    });
    wrong("claims a packet of 65000 octets, but has room for 4", |f| {
        f.packet(0, 0, b"bad!");
        patch(f, 16, 65_000);
    });
    wrong("over 262144", |f| {
        f.packet(0, 0, b"bad!");
        patch(f, 16, 262_145);
    });
    wrong("names interface 77, but the section has 1", |f| {
        f.packet(77, 0, b"bad!");
    });
    wrong("names interface 1, but", |f| {
        f.obsolete(1, 0, 0, b"bad!", &[]);
    });
    wrong("names interface 9", |f| {
        f.statistics(9, &[]);
    });
    wrong(damaged, |f| {
        f.simple(5, b"bad!");
        patch(f, 12, 50);
    });
}

#[test]
fn packet_in_a_section_without_interfaces_is_damaged() {
    let mut file = Pcapng::new(false);
    file.interface(1, 0, &[]).section(true, &[]).simple(4, b"bad!");
    let run = Reader::new().plain(&file.bytes);
    let words = "offset 76: a simple packet block names interface 0, but the section has 0";
    assert!(run.message().ends_with(words), "{}", run.message());
}

#[test]
fn file_cut_inside_a_block_is_truncated() {
    let mut file = Pcapng::new(false);
    file.interface(1, 0, &[]).packet(0, 0, b"good");
    let start = file.bytes.len();
    file.packet(0, 0, b"cut!");
    for (len, words) in
        [(4, "a block header"), (20, "an enhanced packet block is cut short: 36 octets needed, 20 there")]
    {
        let run = Reader::new().plain(&file.bytes[..start + len]);
        assert_eq!(run.packets.len(), 1);
        assert!(
            run.message().starts_with(&format!("ERR_CAPTURE_TRUNCATED offset {start}: {words}")),
            "{}",
            run.message()
        );
    }
    file.bytes.truncate(start);
    file.block(10, &[0; 200_000]);
    let run = Reader::new().plain(&file.bytes[..start + 150_000]);
    let words = format!("offset {start}: a decryption secrets block is cut short: 200012 octets needed, 150000 there");
    assert!(run.message().ends_with(&words), "{}", run.message());
}

#[test]
fn interfaces_beyond_the_limit_are_refused() {
    let mut file = Pcapng::new(false);
    for _ in 0..=MAX_INTERFACES {
        file.interface(1, 0, &[]);
    }
    let run = Reader::new().plain(&file.bytes);
    assert!(run.message().contains("comes after 65536 others"), "{}", run.message());
    assert_eq!((run.info.interfaces.len(), run.info.interface_count), (1024, MAX_INTERFACES as u64));
}

#[test]
fn text_with_newlines_is_not_a_capture() {
    let run = Reader::new().plain(b"\n\r\r\nThis is a text that begins with odd newlines.");
    assert!(run.message().starts_with("ERR_CAPTURE_FORMAT offset 8: not a capture"), "{}", run.message());
}
