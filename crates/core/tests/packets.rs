//! Packets as columns: every packet is there once, lies where its row says, and keys are dense and given back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tcpskein_core::capture::ChunkQueue;
use tcpskein_core::session::{Buffers, NO_KEY, PacketSession, PacketSessionOptions, Session, Source, Status};
use tcpskein_testkit::frame::{TcpFrame, ethernet, ip_packet, pcap};
use tcpskein_testkit::link::{ethernet_with, fragments_v4, join, udp_packet, vlan};

/// What a row says, read by the layout's own description.
struct Batch {
    bytes: Vec<u8>,
    places: serde_json::Value,
}

impl Batch {
    fn new(session: &PacketSession) -> Self {
        let places = serde_json::from_str(&session.describe()).unwrap();
        Self { bytes: vec![0; session.batch_len()], places }
    }

    fn at(&self, column: &str, row: usize, size: usize) -> &[u8] {
        let columns = self.places["columns"].as_array().unwrap();
        let place = columns.iter().find(|c| c["name"] == column).unwrap();
        let at = usize::try_from(place["values"].as_u64().unwrap()).unwrap() + row * size;
        &self.bytes[at..at + size]
    }

    fn flag(&self, column: &str, row: usize) -> bool {
        let columns = self.places["columns"].as_array().unwrap();
        let place = columns.iter().find(|c| c["name"] == column).unwrap();
        self.bytes[usize::try_from(place["flags"].as_u64().unwrap()).unwrap() + row] == 1
    }

    fn u32(&self, column: &str, row: usize) -> u32 {
        u32::from_ne_bytes(self.at(column, row, 4).try_into().unwrap())
    }

    fn f64(&self, column: &str, row: usize) -> f64 {
        f64::from_ne_bytes(self.at(column, row, 8).try_into().unwrap())
    }
}

/// Walks a whole capture, two batches behind as JavaScript does; `row` looks at every row.
fn walk(
    capture: &[u8],
    chunk: usize,
    given_back: impl FnMut(u32) -> Vec<u32>,
    row: impl FnMut(&Batch, &[u8], usize, u32),
) -> PacketSession {
    walk_with(PacketSessionOptions::default(), capture, chunk, given_back, row)
}

fn walk_with(
    options: PacketSessionOptions,
    capture: &[u8],
    chunk: usize,
    mut given_back: impl FnMut(u32) -> Vec<u32>,
    mut row: impl FnMut(&Batch, &[u8], usize, u32),
) -> PacketSession {
    let queue = Arc::new(Mutex::new(ChunkQueue::default()));
    let mut session = PacketSession::new(options);
    session.open(Source::Queue(Arc::clone(&queue)), "capture");
    let mut chunks = capture.chunks(chunk);
    let (mut batch, mut block) = (Batch::new(&session), vec![0; session.block_len()]);
    for number in 1.. {
        let progress =
            session.next(&mut Buffers { batch: &mut batch.bytes, block: &mut block, given_back: &given_back(number) });
        for i in 0..progress.rows {
            row(&batch, &block, i, number);
        }
        match progress.status {
            Status::NeedInput => match chunks.next() {
                Some(chunk) => queue.lock().unwrap().push(chunk),
                None => queue.lock().unwrap().end(),
            },
            Status::SourceEnd => session.finish(),
            Status::SourceFailed => panic!("{}", session.take_error().unwrap()),
            Status::Done => return session,
            Status::More => {}
        }
    }
    unreachable!()
}

fn segments(count: u32, ports: u16) -> Vec<(u64, Vec<u8>)> {
    let frame = |i: u32| {
        let frame = TcpFrame { ports: (1 + (i % u32::from(ports)) as u16, 80), ..TcpFrame::new(i, 0x10) };
        (u64::from(i), if i.is_multiple_of(2) { frame.frame() } else { frame.reversed().frame() })
    };
    (0..count).map(frame).collect()
}

#[test]
fn packets_of_many_batches_lie_where_their_rows_say() {
    let frames = segments(50_000, 7);
    for chunk in [1_000, 300_000, usize::MAX] {
        let mut next = 0;
        let session = walk(
            &pcap(&frames),
            chunk,
            |_| vec![0],
            |batch, block, i, _| {
                let ip = batch.u32("ip", i) as usize;
                let len = batch.u32("ip_captured", i) as usize;
                assert_eq!(&block[ip..ip + len], &frames[next].1[14..]);
                assert_eq!(batch.u32("upper", i) as usize, ip + 20);
                next += 1;
                assert!((batch.f64("number", i) - next as f64).abs() < 0.5);
            },
        );
        assert_eq!((next, session.stats().packets), (50_000, 50_000));
    }
}

#[test]
fn keys_of_both_directions_are_one_and_dense() {
    let mut keys = HashSet::new();
    walk(
        &pcap(&segments(1000, 7)),
        4096,
        |_| vec![0],
        |batch, _, i, _| {
            keys.insert((batch.u32("key", i), batch.f64("number", i) as u32 % 7));
        },
    );
    let numbers: HashSet<u32> = keys.iter().map(|k| k.0).collect();
    assert_eq!((keys.len(), numbers.len(), numbers.into_iter().max()), (7, 7, Some(6)));
}

#[test]
fn keys_given_back_are_used_again() {
    // Every packet is a flow of its own; each batch gives back what the one before had.
    let frame = |i: u32| {
        let src = std::net::IpAddr::from(i.to_be_bytes());
        (u64::from(i), TcpFrame { src, ..TcpFrame::new(i, 2) }.frame())
    };
    let frames: Vec<_> = (1..100_000).map(frame).collect();
    let last = std::cell::RefCell::new(Vec::new());
    let (mut most, mut rows) = (0, 0);
    walk(
        &pcap(&frames),
        65_536,
        |number| {
            let mut list = vec![number - 1];
            list.append(&mut last.borrow_mut());
            list
        },
        |batch, _, i, _| {
            let key = batch.u32("key", i);
            last.borrow_mut().push(key);
            most = most.max(key);
            rows += 1;
        },
    );
    assert_eq!(rows, 99_999);
    assert!(most < 2 * 16_384, "{most} keys at a time");
}

#[test]
fn packet_without_flow_has_a_row_only_where_it_moves_the_clock() {
    let arp = |micros: u64| {
        let mut frame = vec![0; 42];
        frame[12..14].copy_from_slice(&[8, 6]);
        (micros, frame)
    };
    let frames =
        [arp(5_000_000), arp(5_000_000), (6_000_000, TcpFrame::new(1, 2).frame()), arp(6_000_000), arp(6_000_001)];
    let mut rows = Vec::new();
    let session = walk(
        &pcap(&frames),
        usize::MAX,
        |_| vec![0],
        |batch, _, i, _| {
            rows.push((batch.f64("number", i) as u32, batch.u32("key", i) == NO_KEY));
        },
    );
    assert_eq!(rows, [(1, true), (3, false), (5, true)]);
    assert_eq!((session.stats().packets, session.stats().non_ip), (5, 4));
}

/// All that a row says, and the octets that it points to; `None`: it only moves the clock.
type Row = (Vec<u32>, u64, i64, Option<[Vec<u8>; 3]>, Vec<Option<u32>>);

fn rows_of(capture: &[u8], chunk: usize, frames: bool) -> (Vec<Row>, PacketSession) {
    let mut rows = Vec::new();
    let options = PacketSessionOptions { frames, ..PacketSessionOptions::default() };
    let session = walk_with(
        options,
        capture,
        chunk,
        |_| vec![0],
        |batch, block, i, _| {
            let u32 = |column| batch.u32(column, i);
            let of = |at, len| block[u32(at) as usize..][..u32(len) as usize].to_vec();
            let is_packet = u32("key") != NO_KEY;
            let ts_ns = i64::from_ne_bytes(batch.at("ts_ns", i, 8).try_into().unwrap());
            assert_eq!(
                (ts_ns / 1_000_000_000, ts_ns % 1_000_000_000),
                (batch.f64("second", i) as i64, u32("nanosecond").into())
            );
            let mut numbers = vec![u32("key"), u32("meta"), u32("capture")];
            if is_packet {
                numbers.extend(["ip_len", "upper_len", "packets", "octets"].map(u32));
            }
            let octets = || [of("ip", "ip_captured"), of("upper", "upper_captured"), batch.at("head", i, 16).to_vec()];
            let outer = ["vlan", "tunnel", "tunnel_id"].map(|column| {
                batch.flag(column, i).then(|| match column {
                    "vlan" => u16::from_ne_bytes(batch.at(column, i, 2).try_into().unwrap()).into(),
                    "tunnel" => batch.at(column, i, 1)[0].into(),
                    _ => u32(column),
                })
            });
            let outer = if is_packet { outer.to_vec() } else { Vec::new() };
            rows.push((numbers, batch.f64("number", i) as u64, ts_ns, is_packet.then(octets), outer));
        },
    );
    (rows, session)
}

/// Where frames are asked for, packets are decoded one by one with the decoder that remembers things.
#[track_caller]
fn assert_groups_say_what_single_packets_say(frames: &[(u64, Vec<u8>)], least: usize) {
    for chunk in [7_000, usize::MAX] {
        let ((groups, a), (singles, b)) = (rows_of(&pcap(frames), chunk, false), rows_of(&pcap(frames), chunk, true));
        assert!(groups.len() >= least, "{} rows", groups.len());
        for (at, (group, single)) in groups.iter().zip(&singles).enumerate() {
            assert_eq!(group, single, "row {at}");
        }
        assert_eq!((groups.len(), a.stats()), (singles.len(), b.stats()));
    }
}

#[test]
fn packets_in_groups_are_what_they_are_one_by_one() {
    let [a, b] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
    let wide = [IpAddr::from([1_u16, 2, 3, 4, 5, 6, 7, 8]), IpAddr::from([8_u16, 7, 6, 5, 4, 3, 2, 1])];
    let mut random = 1_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut frames = Vec::new();
    let mut micros = 1_000_000;
    for i in 0..20_000_u32 {
        let payload = vec![i as u8; next(200) as usize];
        let ports = (1 + next(20) as u16, 80);
        let tcp = TcpFrame { ports, payload: &payload, ..TcpFrame::new(i, next(256) as u8) };
        let big = udp_packet(a, b, ports, &vec![i as u8; 3000]);
        let quote = join(&[&[3, 1, 0, 0, 0, 0, 0, 0], &tcp.packet()[..28 + next(8) as usize]]);
        let mut new = match next(24) {
            0 => vec![ethernet(&udp_packet(wide[0], wide[1], ports, &payload))],
            1 => vec![ethernet(&udp_packet(a, b, ports, &payload))],
            2 => vec![ethernet(&ip_packet(b, a, 1, &quote))],
            3 => vec![ethernet(&ip_packet(b, a, 1, &[8, 0, 0]))],
            4 => vec![ethernet_with(0x8100, &vlan(next(9) as u16, 0x0800, &tcp.packet()))],
            5 => vec![ethernet(&ip_packet(a, b, 4, &tcp.packet()))],
            6 => fragments_v4(&big, i as u16, 1000).iter().map(|packet| ethernet(packet)).collect(),
            7 => fragments_v4(&big, i as u16, 1000).iter().skip(1).map(|packet| ethernet(packet)).collect(),
            8 => vec![ethernet(&ip_packet(a, b, 6, &[0, 1, 0]))],
            9 => vec![ethernet(&ip_packet(a, b, 17, &[0, 1, 0, 9, 0]))],
            10 => vec![ethernet(&ip_packet(a, b, 6, &[0; 20]))],
            11 => vec![vec![7; 60]],
            _ => vec![if next(2) == 0 { tcp.frame() } else { tcp.reversed().frame() }],
        };
        micros += [0, 0, 10, 400_000, 1_000_000][next(5) as usize];
        for frame in &mut new {
            if next(16) == 0 {
                frame.truncate(14 + next(60) as usize);
            }
        }
        frames.extend(new.into_iter().map(|frame| (micros - next(2), frame)));
    }
    assert_groups_say_what_single_packets_say(&frames, 15_000);
}

#[test]
fn however_many_long_datagrams_are_put_together_they_have_room() {
    let [a, b] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
    let datagrams: Vec<_> =
        (0..40_u16).map(|i| fragments_v4(&udp_packet(a, b, (1 + i, 53), &vec![i as u8; 65_000]), i, 32_768)).collect();
    // All but the last fragments of all, then all the last ones; and each datagram by itself.
    let (late, early): (Vec<_>, Vec<_>) =
        datagrams.iter().cloned().map(|mut parts| (parts.pop().unwrap(), parts)).unzip();
    for order in [early.into_iter().flatten().chain(late).collect::<Vec<_>>(), datagrams.concat()] {
        let frames: Vec<_> = order.iter().map(|packet| (1_000_000, ethernet(packet))).collect();
        assert_groups_say_what_single_packets_say(&frames, 40);
    }
}
