//! Packets as columns: every packet is there once, lies where its row says, and keys are dense and given back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tcpskein_core::capture::ChunkQueue;
use tcpskein_core::session::{Buffers, NO_KEY, PacketSession, PacketSessionOptions, Session, Source, Status};
use tcpskein_testkit::frame::{TcpFrame, pcap};

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
    mut given_back: impl FnMut(u32) -> Vec<u32>,
    mut row: impl FnMut(&Batch, &[u8], usize, u32),
) -> PacketSession {
    let queue = Arc::new(Mutex::new(ChunkQueue::default()));
    let mut session = PacketSession::new(PacketSessionOptions::default());
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
