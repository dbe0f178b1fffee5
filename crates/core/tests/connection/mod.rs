//! Connections as text: a script of segments goes in through a whole stream session, lines come out.
//!
//! A step is `side flags seq[/ack] [payload] [key=value …] [+time]`. `c` is 10.0.0.1:1000, `s` is 10.0.0.2:80; numbers
//! count from the side's own ISN. Flags are letters (`SAFRPUEC`). Keys: `p` the client's port, `w` window, `ws` window
//! scale option, `o` options in hex, `len` octets of payload, `cut` how many of them were captured, `pad` octets behind the IP packet. Times (`+3s`, `-2h`) move
//! the clock before the step, which takes 10 ms by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tcpskein_core::capture::ChunkQueue;
use tcpskein_core::session::{Buffers, Session, Source, Status, StreamSession, StreamSessionOptions};
use tcpskein_testkit::frame::{TcpFrame, pcap};

/// ISNs of client and server that every script runs with: the answer must not depend on them.
const ISNS: [(u32, u32); 4] =
    [(1000, 2000), (u32::MAX, u32::MAX - 1), (u32::MAX - 3, (1 << 31) - 2), ((1 << 31) - 1, u32::MAX - 70_000)];

/// A connection's record: numbers by column, words by column.
pub type Record = BTreeMap<String, Option<i64>>;

/// What a run gave.
#[derive(Default)]
pub struct Outcome {
    /// Events, one line each, contiguous data joined.
    pub lines: Vec<String>,
    /// Records in order of their ends.
    pub records: Vec<Record>,
    /// Counters.
    pub evicted: u64,
    pub keep_alives: u64,
}

/// The options that scripts run with: events, and every gap listed.
pub fn options() -> StreamSessionOptions {
    StreamSessionOptions { events: true, max_gaps: 100, ..StreamSessionOptions::default() }
}

/// Runs a script with every pair of ISNs and compares the lines.
#[track_caller]
pub fn check(script: &str, expected: &str) -> Outcome {
    check_with(&options(), script, expected)
}

/// The same with options.
#[track_caller]
pub fn check_with(options: &StreamSessionOptions, script: &str, expected: &str) -> Outcome {
    let expected: Vec<&str> = lines_of(expected).collect();
    let mut outcomes = ISNS.map(|isns| {
        let outcome = run(options.clone(), &capture(script, isns));
        assert_eq!(outcome.lines, expected, "with ISNs {isns:?}");
        outcome
    });
    std::mem::take(&mut outcomes[0])
}

fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The capture that a script describes.
pub fn capture(script: &str, isns: (u32, u32)) -> Vec<u8> {
    let mut micros = 1_000_000_000_000_i64;
    let frames = lines_of(script).map(|line| {
        let step = Step::parse(line, isns);
        micros += step.wait_micros + 10_000;
        (u64::try_from(micros).unwrap(), step.frame())
    });
    let frames: Vec<_> = frames.collect();
    let mut out = pcap(&frames.iter().map(|(at, (frame, _))| (*at, frame.clone())).collect::<Vec<_>>());
    // Lengths on the wire, where less was captured.
    let mut at = 24;
    for (_, (frame, wire_len)) in &frames {
        out[at + 12..at + 16].copy_from_slice(&wire_len.to_le_bytes());
        at += 16 + frame.len();
    }
    out
}

struct Step {
    from_client: bool,
    flags: u8,
    seq: u32,
    ack: u32,
    payload: Vec<u8>,
    port: u16,
    window: u16,
    options: Vec<u8>,
    cut: Option<usize>,
    pad: usize,
    wait_micros: i64,
}

impl Step {
    fn parse(line: &str, (client, server): (u32, u32)) -> Self {
        let mut words = line.split_whitespace();
        let from_client = words.next() == Some("c");
        let flags = words.next().unwrap().chars().map(|c| 1 << "FSRPAUEC".find(c).unwrap()).sum();
        let mut numbers = words.next().unwrap().split('/').map(|n| n.parse::<i64>().unwrap() as u32);
        let (own, other) = if from_client { (client, server) } else { (server, client) };
        let seq = own.wrapping_add(numbers.next().unwrap());
        let ack = numbers.next().map_or(0, |n| other.wrapping_add(n));
        let mut step = Self {
            from_client,
            flags,
            seq,
            ack,
            payload: Vec::new(),
            port: 1000,
            window: 65535,
            options: Vec::new(),
            cut: None,
            pad: 0,
            wait_micros: 0,
        };
        words.for_each(|word| step.word(word));
        step
    }

    fn word(&mut self, word: &str) {
        if let Some(sign) = word.chars().next().filter(|c| "+-".contains(*c)) {
            let (number, unit) = word[1..].split_at(word.len() - 2);
            let scale = match unit {
                "s" => 1_000_000,
                "m" => 60_000_000,
                "h" => 3_600_000_000,
                _ => 86_400_000_000,
            };
            let wait = number.parse::<i64>().unwrap() * scale;
            self.wait_micros = if sign == '-' { -wait } else { wait };
            return;
        }
        let Some((key, value)) = word.split_once('=') else {
            self.payload = word.as_bytes().to_vec();
            return;
        };
        match key {
            "p" => self.port = value.parse().unwrap(),
            "w" => self.window = value.parse().unwrap(),
            "ws" => self.options = vec![1, 3, 3, value.parse().unwrap()],
            "o" => self.options = hex(value),
            "cut" => self.cut = Some(value.parse().unwrap()),
            "len" => self.payload = vec![b'.'; value.parse().unwrap()],
            _ => self.pad = value.parse().unwrap(),
        }
    }

    /// The frame as captured, and its length on the wire.
    fn frame(&self) -> (Vec<u8>, u32) {
        let frame = TcpFrame {
            ports: (self.port, 80),
            ack: self.ack,
            window: self.window,
            options: &self.options,
            payload: &self.payload,
            ..TcpFrame::new(self.seq, self.flags)
        };
        let mut octets = if self.from_client {
            frame.frame()
        } else {
            TcpFrame { ports: (80, self.port), src: frame.dst, dst: frame.src, ..frame }.frame()
        };
        octets.resize(octets.len() + self.pad, b'#');
        let wire_len = u32::try_from(octets.len()).unwrap();
        if let Some(cut) = self.cut {
            octets.truncate(octets.len() - self.payload.len() + cut);
            octets.shrink_to_fit();
        }
        (octets, wire_len)
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Runs a capture through a session.
pub fn run(options: StreamSessionOptions, capture: &[u8]) -> Outcome {
    let queue = Arc::new(Mutex::new(ChunkQueue::default()));
    let mut session = StreamSession::new(options);
    let layout: Value = serde_json::from_str(&session.describe()).unwrap();
    let (mut batch, mut block) = (vec![0; session.batch_len()], vec![0; session.block_len()]);
    session.open(Source::Queue(Arc::clone(&queue)), "capture");
    queue.lock().unwrap().push(capture);
    queue.lock().unwrap().end();
    let mut tape = Tape::default();
    loop {
        let mut buffers = Buffers { batch: &mut batch, block: &mut block, given_back: &[] };
        let progress = session.next(&mut buffers);
        tape.read(&layout, &batch, &block, progress.rows);
        match progress.status {
            Status::SourceEnd => session.finish(),
            Status::SourceFailed => panic!("{}", session.take_error().unwrap()),
            Status::Done => break,
            _ => {}
        }
    }
    let stats = session.stats();
    (tape.outcome.evicted, tape.outcome.keep_alives) = (stats.evicted, stats.keep_alives);
    tape.outcome
}

/// Puts events into lines.
#[derive(Default)]
struct Tape {
    outcome: Outcome,
    /// Client's side and port, by slot.
    names: BTreeMap<i64, String>,
    /// Slot and direction of the last line, where it is data.
    last_data: Option<(i64, i64)>,
}

impl Tape {
    fn read(&mut self, layout: &Value, batch: &[u8], block: &[u8], rows: usize) {
        let (mut opens, mut closes, mut packets) = (0, 0, 0);
        let events = &layout["events"];
        for row in 0..rows {
            let n = |name: &str| number(events, batch, name, row).unwrap();
            let (kind, slot, direction) = (n("kind"), n("slot"), n("direction"));
            let at = usize::try_from(n("at")).unwrap();
            let len = usize::try_from(n("length")).unwrap();
            match kind {
                0 => self.open(&record(&layout["opens"], batch, opens), slot, &mut opens),
                1 => self.data(slot, direction, n("offset"), &block[at..at + len]),
                2 => self.line(slot, format!("{} gap {} {len}", way(direction), n("offset"))),
                3 => {
                    let (kept, other) = (text(&block[at..at + len]), text(&block[at + len..at + 2 * len]));
                    self.line(slot, format!("{} conflict {} {kept}/{other}", way(direction), n("offset")));
                }
                5 => self.mark(slot, direction, n("offset"), n("length")),
                6 => {
                    let row = record(&layout["packets"], batch, packets);
                    packets += 1;
                    self.packet(&row, slot, direction, len, &layout["packets"]);
                }
                _ => self.close(record(&layout["closes"], batch, closes), slot, layout, &mut closes),
            }
        }
    }

    fn open(&mut self, record: &Record, slot: i64, opens: &mut usize) {
        *opens += 1;
        let (client, server) = (record["client_port"].unwrap(), record["server_port"].unwrap());
        let port = client.max(server);
        self.names.insert(slot, if port == 1000 { String::new() } else { format!("{port} ") });
        self.line(slot, format!("open {}", if client == 80 { "s>c" } else { "c>s" }));
    }

    fn data(&mut self, slot: i64, direction: i64, offset: i64, octets: &[u8]) {
        if self.last_data == Some((slot, direction)) {
            self.outcome.lines.last_mut().unwrap().push_str(&text(octets));
            return;
        }
        self.line(slot, format!("{} {offset} {}", way(direction), text(octets)));
        self.last_data = Some((slot, direction));
    }

    fn mark(&mut self, slot: i64, direction: i64, offset: i64, word: i64) {
        let over = if word >> 16 & 1 == 1 { " over" } else { "" };
        let waits = if word >> 17 & 1 == 1 { " waits" } else { "" };
        self.line(slot, format!("{} mark {offset} {}{over}{waits}", way(direction), letters(word)));
    }

    fn packet(&mut self, row: &Record, slot: i64, direction: i64, len: usize, layout: &Value) {
        let n = |name: &str| row[name].unwrap();
        let state = column(layout, "state")["words"][usize::try_from(n("state")).unwrap()].as_str().unwrap();
        let flags = letters(n("flags"));
        self.line(slot, format!("{} packet {flags} {}/{len} {state}", way(direction), n("payload_len")));
    }

    fn close(&mut self, record: Record, slot: i64, layout: &Value, closes: &mut usize) {
        *closes += 1;
        let n = |name: &str| record[name].unwrap();
        let word = |name: &str| {
            let index = usize::try_from(n(name)).unwrap();
            column(&layout["closes"], name)["words"][index].as_str().unwrap().to_owned()
        };
        let connected = if n("connected") == 1 { " connected" } else { "" };
        let line = format!(
            "close {} {}{connected} {}/{} {}/{}",
            word("end_reason"),
            word("state"),
            n("packets_fwd"),
            n("packets_rev"),
            n("stream_len_fwd"),
            n("stream_len_rev")
        );
        self.line(slot, line);
        self.outcome.records.push(record);
    }

    fn line(&mut self, slot: i64, line: String) {
        self.last_data = None;
        self.outcome.lines.push(format!("{}{line}", self.names.get(&slot).cloned().unwrap_or_default()));
    }
}

/// Flags as letters.
fn letters(word: i64) -> String {
    "FSRPAUEC".chars().enumerate().filter(|(bit, _)| word >> bit & 1 == 1).map(|(_, c)| c).collect()
}

fn way(direction: i64) -> &'static str {
    if direction == 0 { "fwd" } else { "rev" }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn column<'a>(layout: &'a Value, name: &str) -> &'a Value {
    layout["columns"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()
}

fn record(layout: &Value, batch: &[u8], row: usize) -> Record {
    let columns = layout["columns"].as_array().unwrap().iter().filter(|c| c["kind"] != "addr");
    columns
        .map(|c| c["name"].as_str().unwrap())
        .map(|name| (name.to_owned(), number(layout, batch, name, row)))
        .collect()
}

/// A value of a row by the layout's own description.
fn number(layout: &Value, batch: &[u8], name: &str, row: usize) -> Option<i64> {
    let column = column(layout, name);
    let place = |key: &str| usize::try_from(column[key].as_u64().unwrap()).unwrap();
    if !column["flags"].is_null() && batch[place("flags") + row] == 0 {
        return None;
    }
    let size = match column["kind"].as_str().unwrap() {
        "u16" => 2,
        "u32" => 4,
        "u64" | "i64" => 8,
        _ => 1,
    };
    let at = place("values") + row * size;
    let octets = &batch[at..at + size];
    Some(match size {
        1 => i64::from(octets[0]),
        2 => i64::from(u16::from_ne_bytes(octets.try_into().unwrap())),
        4 => i64::from(u32::from_ne_bytes(octets.try_into().unwrap())),
        _ if column["kind"] == "i64" => i64::from_ne_bytes(octets.try_into().unwrap()),
        _ => f64::from_ne_bytes(octets.try_into().unwrap()) as i64,
    })
}
