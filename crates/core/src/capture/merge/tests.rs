//! Merged captures against the obvious: all heads in a list, the earliest first.

use super::*;
use crate::capture::{ChunkQueue, DecodingInput, QueueInput, ReadAhead};
use tcpskein_testkit::pcapng::Pcapng;

/// Octets in pieces.
struct Octets {
    bytes: Vec<u8>,
    position: usize,
    piece: usize,
}

impl Input for Octets {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let rest = &self.bytes[self.position..];
        let n = rest.len().min(out.len()).min(self.piece);
        out[..n].copy_from_slice(&rest[..n]);
        self.position += n;
        Ok(if n == 0 { Filled::End } else { Filled::Bytes(n) })
    }

    fn position(&self) -> u64 {
        self.position as u64
    }
}

/// A packet: capture, number, time, link type, data.
type Seen = (u32, u64, i64, u16, Vec<u8>);

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A capture as a file and as what is in it: times that mostly go forward, lengths up to a jumbo frame's.
fn capture(dice: &mut Dice, number: u32, packets: u64) -> (Vec<u8>, Vec<Seen>) {
    let mut file = Pcapng::new(dice.roll(2) == 0);
    let link = if number.is_multiple_of(2) { 1 } else { 101 };
    file.interface(link, 0, &[]);
    let mut seen = Vec::new();
    let mut ticks = 1_000_000 + dice.roll(50);
    for n in 1..=packets {
        ticks = (ticks + dice.roll(20)).saturating_sub(if dice.roll(10) == 0 { 30 } else { 0 });
        let len = if dice.roll(20) == 0 { 9000 } else { dice.roll(200) } as usize;
        let data = vec![n as u8; len];
        file.packet(0, ticks, &data);
        seen.push((number, n, ticks as i64 * 1000, link, data));
    }
    (file.bytes.clone(), seen)
}

/// The earliest of all heads, one after another.
fn merge_naively(captures: &[Vec<Seen>]) -> Vec<Seen> {
    let mut heads = vec![0; captures.len()];
    let mut merged = Vec::new();
    while let Some((_, _, chosen)) =
        (0..captures.len()).filter_map(|i| captures[i].get(heads[i]).map(|packet| (packet.2, i, i))).min()
    {
        merged.push(captures[chosen][heads[chosen]].clone());
        heads[chosen] += 1;
    }
    merged
}

fn seen(packet: &Packet, block: &[u8]) -> Seen {
    let Origin { capture, number } = Origin::of(block, packet.start);
    (capture, number, packet.ts_ns, packet.link.0, packet.bytes(block).to_vec())
}

fn read(mut input: impl Input, block_len: usize) -> Vec<Seen> {
    let mut reader = BlockReader::of_merged();
    let mut block = vec![0; block_len];
    let mut packets = Vec::new();
    while reader.fill(&mut block, &mut input).unwrap() != Filled::End {
        while let Next::Packet(packet) = reader.next(&block).unwrap() {
            packets.push(seen(&packet, &block));
        }
        reader.release(&block);
    }
    reader.finish().unwrap();
    packets
}

struct Merged {
    input: MergeInput,
    log: CaptureLog,
    errors: Arc<Mutex<Vec<FlowError>>>,
}

fn merged(files: &[Vec<u8>], piece: usize) -> Merged {
    let members = files.iter().enumerate().map(|(i, bytes)| {
        let octets = Octets { bytes: bytes.clone(), position: 0, piece };
        MergeMember::new(Box::new(DecodingInput::open(Box::new(octets))), &format!("capture {i}"))
    });
    let (log, errors) = (CaptureLog::default(), Arc::default());
    let input = MergeInput::new(members.collect(), 0, Arc::default(), log.clone(), Arc::clone(&errors)).unwrap();
    Merged { input, log, errors }
}

#[test]
fn merge_of_many_captures_takes_the_earliest_head() {
    let mut dice = Dice(1);
    for count in [1, 2, 3, 7, MAX_MERGED as u32] {
        let captures: Vec<_> = (0..count)
            .map(|i| {
                let packets = dice.roll(4000 / u64::from(count));
                capture(&mut dice, i, packets)
            })
            .collect();
        let (files, packets): (Vec<_>, Vec<_>) = captures.into_iter().unzip();
        let expected = merge_naively(&packets);
        assert!(count < 3 || expected.windows(2).any(|w| w[0].0 != w[1].0), "the captures interleave");
        for piece in [usize::MAX, 1009] {
            let Merged { input, log, errors } = merged(&files, piece);
            assert_eq!(read(input, MIN_BLOCK_LEN), expected, "{count} captures in pieces of {piece}");
            assert!(errors.lock().unwrap().is_empty());
            let reports = log.take();
            assert_eq!(reports.len(), count as usize);
            for (report, packets) in reports.iter().zip(&packets) {
                assert_eq!((report.totals.packets, report.info.format), (packets.len() as u64, "pcapng"));
                assert_eq!(report.input_bytes, files[report.capture as usize].len() as u64);
            }
        }
    }
}

#[test]
fn merge_of_equal_times_keeps_the_order_given() {
    let files: Vec<_> = [[5, 5, 7], [5, 6, 7]]
        .map(|times: [u64; 3]| {
            let mut file = Pcapng::new(false);
            file.interface(1, 0, &[]);
            for ticks in times {
                file.packet(0, ticks, b"x");
            }
            file.bytes.clone()
        })
        .to_vec();
    let order: Vec<_> = read(merged(&files, 10_000).input, MIN_BLOCK_LEN).iter().map(|p| (p.0, p.1)).collect();
    assert_eq!(order, [(0, 1), (0, 2), (1, 1), (1, 2), (0, 3), (1, 3)]);
}

#[test]
fn merge_read_ahead_cuts_records_at_block_ends_and_joins_them() {
    let mut dice = Dice(2);
    let (files, packets): (Vec<_>, Vec<_>) = (0..3).map(|i| capture(&mut dice, i, 3000)).unzip();
    let expected = merge_naively(&packets);
    let mut ahead = ReadAhead::start(Box::new(merged(&files, usize::MAX).input)).unwrap();
    let mut reader = BlockReader::of_merged();
    let (mut blocks, mut found) = (0, Vec::new());
    while let Some(mut next) = ahead.next_block().unwrap() {
        blocks += 1;
        reader.adopt(&mut next);
        while let Next::Packet(packet) = reader.next(&next.block).unwrap() {
            found.push(seen(&packet, &next.block));
        }
        reader.release(&next.block);
        ahead.give_back(next.block);
    }
    assert!(blocks > 1, "{blocks} blocks");
    assert_eq!(found, expected);
}

#[test]
fn merge_with_a_broken_member_goes_on_with_the_others() {
    let mut dice = Dice(3);
    let (mut files, mut packets): (Vec<_>, Vec<_>) = (0..3).map(|i| capture(&mut dice, i, 50)).unzip();
    let cut = files[1].len() - 4;
    files[1].truncate(cut);
    packets[1].pop();
    files.push(b"no capture at all".to_vec());
    let Merged { input, log, errors } = merged(&files, usize::MAX);
    assert_eq!(read(input, MIN_BLOCK_LEN), merge_naively(&packets));
    let errors: Vec<_> = errors.lock().unwrap().iter().map(|e| (e.code(), e.to_string())).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!((errors[0].0, &errors[0].1[..11]), ("ERR_CAPTURE_FORMAT", "capture 3: "));
    assert_eq!((errors[1].0, &errors[1].1[..11]), ("ERR_CAPTURE_TRUNCATED", "capture 1: "));
    assert_eq!(log.take().len(), 4);
}

#[test]
fn merge_of_queues_says_which_one_needs_input() {
    let mut dice = Dice(4);
    let (files, packets): (Vec<_>, Vec<_>) = (0..3).map(|i| capture(&mut dice, i, 200)).unzip();
    let queues: Vec<_> = files.iter().map(|_| Arc::new(Mutex::new(ChunkQueue::default()))).collect();
    let members = queues.iter().map(|queue| {
        let input = DecodingInput::open(Box::new(QueueInput::new(Arc::clone(queue))));
        MergeMember::new(Box::new(input), "queue")
    });
    let wanted = Arc::new(AtomicU32::new(9));
    let mut input =
        MergeInput::new(members.collect(), 0, Arc::clone(&wanted), CaptureLog::default(), Arc::default()).unwrap();
    let mut rests: Vec<_> = files.iter().map(|file| file.chunks(777)).collect();
    let mut reader = BlockReader::of_merged();
    let mut block = vec![0; MIN_BLOCK_LEN];
    let mut found = Vec::new();
    loop {
        match reader.fill(&mut block, &mut input).unwrap() {
            Filled::End => break,
            Filled::NeedInput => {
                let member = wanted.load(Ordering::Acquire) as usize;
                let mut queue = queues[member].lock().unwrap();
                match rests[member].next() {
                    Some(chunk) => queue.push(chunk),
                    None => queue.end(),
                }
            }
            Filled::Bytes(_) => {
                while let Next::Packet(packet) = reader.next(&block).unwrap() {
                    found.push(seen(&packet, &block));
                }
                reader.release(&block);
            }
        }
    }
    assert_eq!(found, merge_naively(&packets));
}

#[test]
fn merge_of_too_many_names_the_limit() {
    let members = (0..=MAX_MERGED)
        .map(|_| MergeMember::new(Box::new(Octets { bytes: Vec::new(), position: 0, piece: 1 }), "x"))
        .collect();
    let error = MergeInput::new(members, 0, Arc::default(), CaptureLog::default(), Arc::default()).err().unwrap();
    assert_eq!(error.to_string(), "option merge: at most 64 captures can be merged, not 65");
}
