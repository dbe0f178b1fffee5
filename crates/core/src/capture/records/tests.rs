use super::super::{BlockReader, MIN_BLOCK_LEN, Next, Origin, SharedInput};
use super::*;
use crate::capture::{ChunkQueue, Input, QueueInput};
use std::sync::{Arc, Mutex};

fn columns<'a>(time_ns: &'a [i64], number: &'a [i64], offsets: &'a [i32], bytes: &'a [u8]) -> PacketColumns<'a> {
    let ints: &'static [i32] = &[7, 7, 7];
    let ints = &ints[..time_ns.len()];
    PacketColumns { order_ns: time_ns, time_ns, number, capture: ints, link: ints, wire_len: ints, offsets, bytes }
}

/// What a reader finds: packets as (time, number, capture, octets), ticks as (time, 0, 0, nothing).
fn read(chunks: &[Vec<u8>]) -> Vec<(i64, u64, u32, Vec<u8>)> {
    let mut queue = ChunkQueue::default();
    chunks.iter().for_each(|chunk| queue.push(chunk));
    queue.end();
    let mut input = SharedInput::new(Box::new(QueueInput::new(Arc::new(Mutex::new(queue))))).take().unwrap();
    let mut reader = BlockReader::default();
    let mut block = vec![0; MIN_BLOCK_LEN];
    let mut found = Vec::new();
    while let crate::capture::Filled::Bytes(_) = reader.fill(&mut block, input.as_mut() as &mut dyn Input).unwrap() {
        loop {
            match reader.next(&block).unwrap() {
                Next::Packet(packet) => {
                    let Origin { capture, number } = Origin::of(&block, packet.start);
                    found.push((packet.ts_ns, number, capture, packet.bytes(&block).to_vec()));
                }
                Next::Tick(ts_ns) => found.push((ts_ns, 0, 0, Vec::new())),
                Next::BlockDone => break,
            }
        }
        reader.release(&block);
    }
    reader.finish().unwrap();
    found
}

#[test]
fn packets_come_back_with_their_origin_and_the_clock_between_them() {
    let mut writer = RecordWriter::new(vec![5, 10, 30, 99], true);
    let first = writer.pack(&columns(&[10, 20], &[3, 4], &[2, 4, 9], b"..abcdefg")).unwrap();
    let second = writer.pack(&columns(&[31], &[5], &[0, 0], b"")).unwrap();
    let end = writer.end();
    let packet = |ts, number, octets: &[u8]| (ts, number, 7, octets.to_vec());
    let tick = |ts| (ts, 0, 0, Vec::new());
    assert_eq!(
        read(&[first, second, end]),
        [tick(5), tick(10), packet(10, 3, b"ab"), packet(20, 4, b"cdefg"), tick(30), packet(31, 5, b""), tick(99)]
    );
}

#[test]
fn nothing_at_all_is_a_stream_of_ticks() {
    let mut writer = RecordWriter::new(vec![1, 2], true);
    assert_eq!(read(&[writer.end()]).len(), 2);
}

#[test]
fn columns_that_contradict_each_other_are_refused() {
    let refused = |time: &[i64], number: &[i64], offsets: &[i32], bytes: &[u8]| {
        RecordWriter::new(Vec::new(), true).pack(&columns(time, number, offsets, bytes)).unwrap_err().to_string()
    };
    assert!(refused(&[1], &[1, 2], &[0, 1], b"x").contains("different lengths"));
    assert!(refused(&[1], &[1], &[0], b"x").contains("different lengths"));
    assert!(refused(&[1], &[1], &[0, 2], b"x").contains("outside"));
    assert!(refused(&[1], &[1], &[1, 0], b"x").contains("outside"));
    assert!(refused(&[1], &[1], &[-1, 0], b"x").contains("outside"));
    assert!(refused(&[1], &[-1], &[0, 1], b"x").contains("impossible"));
    assert!(refused(&[2, 1], &[1, 2], &[0, 1, 1], b"x").contains("row 2 of the stream: it is out of order"));
}

#[test]
fn times_may_run_backwards_where_the_order_is_another() {
    let mut writer = RecordWriter::new(Vec::new(), false);
    let records = writer.pack(&columns(&[2, 1], &[1, 2], &[0, 1, 1], b"x")).unwrap();
    assert_eq!(read(&[records]).iter().map(|row| row.0).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn packet_later_than_its_time_moves_the_clock_first() {
    let mut writer = RecordWriter::new(Vec::new(), true);
    let times = PacketColumns { order_ns: &[9, 9, 12], ..columns(&[7, 8, 12], &[1, 2, 3], &[0, 0, 0, 0], b"") };
    let records = writer.pack(&times).unwrap();
    assert_eq!(
        read(&[records]).iter().map(|row| (row.0, row.1)).collect::<Vec<_>>(),
        [(9, 0), (7, 1), (8, 2), (12, 3)]
    );
}
