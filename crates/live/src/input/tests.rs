//! The input against the packets that went in, read back by the core.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tcpskein_core::capture::{BlockReader, CaptureInfo, ChunkQueue, MIN_BLOCK_LEN, Next, QueueInput};

use super::*;
use crate::control::Shared;

/// In the year 2096: ticks by the clock don't come in between.
const LATER: i64 = 4_000_000_000_000_000_000;

/// A packet as it went in, or came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub ts_ns: i64,
    pub link: LinkType,
    pub wire_len: u32,
    pub octets: Vec<u8>,
}

/// What a [`Fake`] does next.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    Packet(u32, Known),
    Nothing,
    GoesDown,
}

/// A source that does what it was told.
pub(crate) struct Fake {
    pub steps: VecDeque<Does>,
    at: Option<(u32, Known)>,
    pub only: Option<(u32, LinkType)>,
    /// Where the packet's octets are taken apart.
    pub front: usize,
    pub unfiltered: bool,
}

impl Fake {
    pub fn new(steps: impl IntoIterator<Item = Does>) -> Self {
        let only = Some((3, LinkType::ETHERNET));
        Self { steps: steps.into_iter().collect(), at: None, only, front: 0, unfiltered: true }
    }
}

impl PacketSource for Fake {
    fn advance(&mut self) -> Result<bool, FlowError> {
        match self.steps.pop_front() {
            Some(Does::Packet(interface, packet)) => self.at = Some((interface, packet)),
            Some(Does::Nothing) | None => return Ok(false),
            Some(Does::GoesDown) => return Err(FlowError::InterfaceDown { interface: "fake".to_owned() }),
        }
        Ok(true)
    }

    fn packet(&self) -> LivePacket<'_> {
        let (interface, Known { ts_ns, link, wire_len, octets }) = self.at.as_ref().unwrap();
        let (front, rest) = octets.split_at(self.front.min(octets.len()));
        let unfiltered = self.unfiltered;
        LivePacket { ts_ns: *ts_ns, interface: *interface, link: *link, wire_len: *wire_len, front, rest, unfiltered }
    }

    fn interface_name(&self, interface: u32) -> String {
        format!("fake{interface}")
    }

    fn only_interface(&self) -> Option<(u32, LinkType)> {
        self.only
    }

    fn losses(&mut self) -> Losses {
        Losses { received: 12, by_system: 5, by_interface: 1 }
    }

    fn stop_intake(&mut self) {}

    fn delay(&self) -> Duration {
        Duration::from_millis(1)
    }
}

pub(crate) fn packet(n: usize) -> Known {
    let octets: Vec<u8> = (0..n * 7 % 1500).map(|i| (i + n) as u8).collect();
    let wire_len = octets.len() as u32 + n as u32 % 3;
    Known { ts_ns: LATER + n as i64 * 1_234_567, link: LinkType::ETHERNET, wire_len, octets }
}

fn options() -> LiveOptions {
    LiveOptions::new("fake")
}

fn input(fake: Fake, options: &LiveOptions) -> LiveInput<Fake> {
    LiveInput::new(Capture::new(fake, Shared::new(options.time_limit), options), options)
}

/// What comes before a `NeedInput` or the end, through outputs of these lengths in turn; and how it ended.
fn read(input: &mut LiveInput<Fake>, lengths: &[usize]) -> (Vec<u8>, Result<Filled, FlowError>) {
    let mut all = Vec::new();
    for len in lengths.iter().cycle() {
        let mut out = vec![0; *len];
        match input.fill(&mut out) {
            Ok(Filled::Bytes(n)) => all.extend_from_slice(&out[..n]),
            end => return (all, end),
        }
    }
    unreachable!("lengths are empty")
}

/// Packets, ticks, and what was said of the capture.
fn walk(octets: &[u8]) -> (Vec<Known>, Vec<i64>, CaptureInfo) {
    let mut queue = ChunkQueue::default();
    queue.push(octets);
    queue.end();
    let mut source = QueueInput::new(Arc::new(Mutex::new(queue)));
    let mut reader = BlockReader::of_live();
    let mut block = vec![0; MIN_BLOCK_LEN];
    let (mut packets, mut ticks) = (Vec::new(), Vec::new());
    while let Filled::Bytes(_) = reader.fill(&mut block, &mut source).unwrap() {
        loop {
            match reader.next(&block).unwrap() {
                Next::Packet(p) => packets.push(Known {
                    ts_ns: p.ts_ns,
                    link: p.link,
                    wire_len: p.wire_len,
                    octets: p.bytes(&block).to_vec(),
                }),
                Next::Tick(ts_ns) => ticks.push(ts_ns),
                Next::BlockDone => break,
            }
        }
        reader.release(&block);
    }
    reader.finish().unwrap();
    (packets, ticks, reader.info().clone())
}

#[test]
fn packets_come_out_as_they_went_in_whatever_the_room() {
    let known: Vec<Known> = (0..300).map(packet).collect();
    for lengths in [&[1 << 20][..], &[1, 2, 3, 50, 900], &[31], &[100_000, 1]] {
        for front in [0, 16] {
            let mut fake = Fake::new(known.iter().map(|p| Does::Packet(3, p.clone())));
            fake.front = front;
            let (octets, end) = read(&mut input(fake, &options()), lengths);
            assert!(matches!(end, Ok(Filled::NeedInput)));
            let (packets, ticks, info) = walk(&octets);
            assert_eq!(packets, known);
            // The first packet's, and no other within the second.
            assert_eq!(ticks, [LATER]);
            assert_eq!((info.format, info.interfaces.len()), ("live", 1));
            assert_eq!(info.interfaces[0].name.as_deref(), Some("fake3"));
        }
    }
}

#[test]
fn ticks_go_on_while_nothing_comes_but_stay_behind_the_clock() {
    let mut input = input(Fake::new([]), &options());
    let before = now_ns();
    let (octets, _) = read(&mut input, &[1000]);
    let (_, ticks, _) = walk(&octets);
    let after = now_ns();
    let [tick] = ticks[..] else { panic!("one tick: {ticks:?}") };
    assert!(before - 101_000_000 <= tick && tick < after - 100_000_000);
    // Not again within a second.
    assert_eq!(read(&mut input, &[1000]).0, []);
}

#[test]
fn ticks_come_with_packets_at_least_each_second() {
    let times = [0, 400, 999, 1000, 1500, 2100, 9000];
    let steps = times.map(|ms| Does::Packet(3, Known { ts_ns: LATER + ms * 1_000_000, ..packet(10) }));
    let (octets, _) = read(&mut input(Fake::new(steps), &options()), &[1 << 16]);
    let (_, ticks, _) = walk(&octets);
    assert_eq!(ticks, [0, 1000, 2100, 9000].map(|ms| LATER + ms * 1_000_000));
}

#[test]
fn interfaces_are_described_when_they_come() {
    let link = |n: usize| if n.is_multiple_of(2) { LinkType::ETHERNET } else { LinkType::RAW };
    let known: Vec<Known> = (0..20).map(|n| Known { link: link(n % 5), ..packet(n) }).collect();
    let mut fake = Fake::new(known.iter().enumerate().map(|(n, p)| Does::Packet(n as u32 % 5, p.clone())));
    fake.only = None;
    let (octets, _) = read(&mut input(fake, &options()), &[77]);
    let (packets, _, info) = walk(&octets);
    assert_eq!(packets, known);
    let names: Vec<_> = info.interfaces.iter().map(|i| i.name.clone().unwrap()).collect();
    assert_eq!(names, ["fake0", "fake1", "fake2", "fake3", "fake4"]);
}

#[test]
fn filter_here_asks_about_packets_in_one_piece() {
    let mut options = options();
    options.filter = Some(tcpskein_core::filter::Filter::compile("ether[13] = 7 and ether[20] = 9").unwrap());
    let with = |a: u8, b: u8| {
        let mut octets = vec![0; 30];
        (octets[13], octets[20]) = (a, b);
        Known { octets, wire_len: 30, ..packet(0) }
    };
    for (unfiltered, wanted) in [(true, 1), (false, 3)] {
        let mut fake = Fake::new([with(7, 8), with(7, 9), with(6, 9)].map(|p| Does::Packet(3, p)));
        (fake.front, fake.unfiltered) = (16, unfiltered);
        let (octets, _) = read(&mut input(fake, &options), &[4096]);
        assert_eq!(walk(&octets).0.len(), wanted);
    }
}

#[test]
fn limit_of_packets_ends_it_with_statistics() {
    let steps = (0..50).map(|n| Does::Packet(3, packet(n)));
    let limited = LiveOptions { packet_limit: Some(20), nanoseconds: false, ..options() };
    let (octets, end) = read(&mut input(Fake::new(steps), &limited), &[4096]);
    assert!(matches!(end, Ok(Filled::End)));
    let (packets, _, info) = walk(&octets);
    assert_eq!(packets.len(), 20);
    assert!(packets.iter().all(|p| p.ts_ns % 1000 == 0), "cut to microseconds");
    let counted = info.interfaces[0].statistics;
    assert_eq!(
        (counted.received, counted.os_dropped, counted.dropped, counted.delivered),
        (Some(12), Some(5), Some(1), Some(20))
    );
}

#[test]
fn interface_that_goes_down_fails_after_its_packets() {
    let steps = [Does::Packet(3, packet(1)), Does::GoesDown, Does::Packet(3, packet(2)), Does::Nothing];
    let (octets, end) = read(&mut input(Fake::new(steps), &options()), &[4096]);
    assert!(matches!(end, Err(FlowError::InterfaceDown { .. })), "{end:?}");
    assert_eq!(walk(&octets).0.len(), 2);
}

#[test]
fn stop_and_time_limit_end_it_after_what_arrived() {
    for stopped in [true, false] {
        let steps = (0..3).map(|n| Does::Packet(3, packet(n))).chain([Does::Nothing, Does::Packet(3, packet(3))]);
        let limited = LiveOptions { time_limit: (!stopped).then_some(Duration::ZERO), ..options() };
        let shared = Shared::new(limited.time_limit);
        if stopped {
            shared.stop();
        }
        let mut input = LiveInput::new(Capture::new(Fake::new(steps), shared, &limited), &limited);
        let (octets, end) = read(&mut input, &[4096]);
        assert!(matches!(end, Ok(Filled::End)));
        assert_eq!(walk(&octets).0.len(), 4);
    }
}
