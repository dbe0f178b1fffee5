//! Small scenes with answers worked out by hand, and round trips against a naive model.

use proptest::prelude::*;

use super::ecn::EcnMode;
use super::zeek::ConnState;
use super::*;
use crate::decode::flags::{ACK, AE, CWR, ECE, FIN, PSH, RST, SYN};

/// A segment from the client, to be changed.
fn fwd(seq: u32, ack: u32, flags: u16) -> Seen<'static> {
    Seen {
        direction: Direction::Fwd,
        ts_ns: 0,
        packet: 0,
        seq,
        ack,
        flags,
        window: 1000,
        len: 0,
        whole: true,
        ip_octets: 40,
        ecn: 0,
        options: &[],
    }
}

fn rev(seq: u32, ack: u32, flags: u16) -> Seen<'static> {
    Seen { direction: Direction::Rev, ..fwd(seq, ack, flags) }
}

fn data(seen: Seen<'static>, len: u32) -> Seen<'static> {
    Seen { len, ip_octets: 40 + len, flags: seen.flags | PSH, ..seen }
}

fn at(seen: Seen<'static>, ms: i64) -> Seen<'static> {
    Seen { ts_ns: ms * 1_000_000, ..seen }
}

/// Connections that begin with a handshake or without, most of whose segments follow each other.
pub(super) fn segments() -> impl Strategy<Value = Vec<Seen<'static>>> {
    let flags = prop_oneof![12 => Just(ACK), 1 => Just(0), 1 => Just(SYN), 1 => Just(FIN | ACK), 1 => Just(RST)];
    let window = prop_oneof![8 => Just(1000_u16), 1 => Just(0), 1 => Just(3)];
    let jump = prop_oneof![8 => Just(0_i32), 1 => -4_i32..4];
    let step = (any::<bool>(), flags, window, 0_u32..4, jump.clone(), jump);
    (any::<bool>(), prop::collection::vec(step, 0..60)).prop_map(|(complete, steps)| {
        let mut scene = if complete { handshake() } else { Vec::new() };
        let mut next = [101_u32, 501];
        for (i, (from_client, flags, window, len, jump, ack_jump)) in steps.into_iter().enumerate() {
            let (me, peer) = if from_client { (0, 1) } else { (1, 0) };
            let (seq, ack) = (next[me].wrapping_add_signed(jump), next[peer].wrapping_add_signed(ack_jump));
            let seen = if from_client { fwd(seq, ack, flags) } else { rev(seq, ack, flags) };
            let seen = Seen { window, ..if len > 0 { data(seen, len) } else { seen } };
            next[me] = next[me].max(seq.wrapping_add(seen.seq_len()));
            scene.push(at(seen, 30 + 2 * i as i64));
        }
        scene
    })
}

const PORTS: [u16; 2] = [40_000, 4_000];

/// Runs a scene; the kinds of each segment as words.
fn run(scene: &[Seen<'static>]) -> (Analysis, Vec<String>) {
    let (mut analysis, mut spare) = (Analysis::default(), Spare::default());
    let words = scene.iter().map(|seen| {
        let kinds = analysis.segment(seen, PORTS, &mut spare);
        let names = kinds::NAMES.iter().enumerate().filter(|(bit, _)| kinds.0 >> bit & 1 == 1);
        names.map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
    });
    let words = words.collect();
    (analysis, words)
}

/// SYN, SYN with ACK, ACK at 0, 10 and 20 ms: numbers go on at 101 and 501.
fn handshake() -> Vec<Seen<'static>> {
    vec![at(fwd(100, 0, SYN), 0), at(rev(500, 101, SYN | ACK), 10), at(fwd(101, 501, ACK), 20)]
}

fn scene(more: &[Seen<'static>]) -> (Analysis, Vec<String>) {
    let (analysis, words) = run(&[&handshake()[..], more].concat());
    (analysis, words[3..].to_vec())
}

fn history(analysis: &Analysis) -> &str {
    std::str::from_utf8(analysis.zeek.history.letters()).unwrap_or("?")
}

#[test]
fn late_segments_are_told_apart_by_time_and_acknowledgements() {
    let (analysis, words) = scene(&[
        at(data(fwd(101, 501, ACK), 10), 30),
        at(data(fwd(121, 501, ACK), 10), 31),
        at(data(fwd(111, 501, ACK), 10), 32),
        at(data(fwd(101, 501, ACK), 10), 99),
        at(rev(501, 131, ACK), 100),
        at(data(fwd(101, 501, ACK), 10), 101),
    ]);
    assert_eq!(
        words,
        ["", "lost_segment", "out_of_order", "retransmission", "", "retransmission spurious_retransmission"]
    );
    assert_eq!(analysis.judge.initial_rtt_ns, Some(20_000_000));
}

#[test]
fn third_duplicate_makes_a_fast_retransmission() {
    let (_, words) = scene(&[
        at(data(fwd(101, 501, ACK), 10), 30),
        at(data(fwd(111, 501, ACK), 10), 31),
        at(rev(501, 101, ACK), 40),
        at(rev(501, 101, ACK), 41),
        at(rev(501, 101, ACK), 42),
        at(data(fwd(101, 501, ACK), 10), 50),
    ]);
    assert_eq!(words[2..], ["duplicate_ack", "duplicate_ack", "duplicate_ack", "retransmission fast_retransmission"]);
}

#[test]
fn windows_close_are_probed_and_open() {
    let zero = Seen { window: 0, ..rev(501, 1101, ACK) };
    let (_, words) = scene(&[
        at(data(fwd(101, 501, ACK), 1000), 30),
        at(zero, 40),
        at(data(fwd(1101, 501, ACK), 1), 50),
        at(zero, 51),
        at(Seen { window: 700, ..zero }, 60),
        at(fwd(1100, 501, ACK), 70),
        at(Seen { window: 700, ..zero }, 71),
    ]);
    let expected =
        ["window_full", "zero_window", "zero_window_probe", "zero_window zero_window_probe_ack", "window_update"];
    assert_eq!(words[..5], expected);
    assert_eq!(words[5..], ["keep_alive", "keep_alive_ack"]);
}

#[test]
fn unseen_octets_are_told_once() {
    let (_, words) = scene(&[
        at(rev(501, 301, ACK), 30),
        at(rev(501, 401, ACK), 31),
        at(data(fwd(501, 501, ACK), 10), 32),
        at(rev(501, 601, ACK), 33),
    ]);
    assert_eq!(words, ["ack_lost_segment", "", "lost_segment", "ack_lost_segment"]);
}

#[test]
fn windows_are_scaled_only_when_both_sides_ask() {
    let asks = Seen { options: &[3, 3, 2], ..fwd(100, 0, SYN) };
    let answer = Seen { options: &[3, 3, 4], ..rev(500, 101, SYN | ACK) };
    let (analysis, _) = run(&[asks, answer, fwd(101, 501, ACK), rev(501, 101, ACK)]);
    assert_eq!([analysis.pace[0].window, analysis.pace[1].window], [Some((4000, 4000)), Some((16_000, 16_000))]);
    let (analysis, _) = run(&[asks, rev(500, 101, SYN | ACK), fwd(101, 501, ACK)]);
    assert_eq!(analysis.pace[0].window, Some((1000, 1000)));
    let (analysis, _) = run(&[data(fwd(1, 1, ACK), 5)]);
    assert_eq!(analysis.pace[0].window, None);
}

#[test]
fn round_trips_skip_segments_sent_twice() {
    let (analysis, _) = scene(&[
        at(data(fwd(101, 501, ACK), 10), 30),
        at(data(fwd(111, 501, ACK), 10), 32),
        at(rev(501, 121, ACK), 45),
        at(data(fwd(121, 501, ACK), 10), 50),
        at(data(fwd(121, 501, ACK), 10), 60),
        at(rev(501, 131, ACK), 61),
    ]);
    let samples = &analysis.round_trips.0[0].seq_samples;
    // The SYN took 10 ms; of two segments that one acknowledgement is for, the later one counts.
    assert_eq!((samples.count(), samples.least_and([1.0])), (2, Some((10_000_000, [13_000_000]))));
    assert_eq!(analysis.round_trips.0[1].seq_samples.least_and([]), Some((10_000_000, [])));
    assert_eq!(analysis.pace[0].in_flight, Some(20));
}

#[test]
fn timestamps_are_timed_from_their_first_segment() {
    const SENT: &[u8] = &[1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0];
    const ECHOED: &[u8] = &[8, 10, 0, 0, 0, 9, 0, 0, 0, 7, 1, 1];
    let (analysis, _) = scene(&[
        at(Seen { options: SENT, ..data(fwd(101, 501, ACK), 10) }, 30),
        at(Seen { options: SENT, ..data(fwd(101, 501, ACK), 10) }, 33),
        at(Seen { options: ECHOED, ..rev(501, 111, ACK) }, 50),
        at(Seen { options: ECHOED, ..rev(501, 111, ACK) }, 90),
    ]);
    let samples = &analysis.round_trips.0[0].timestamp_samples;
    assert_eq!((samples.count(), samples.least_and([])), (1, Some((20_000_000, []))));
}

#[test]
fn accurate_ecn_counts_what_the_receiver_saw() {
    let ace = |seen: Seen<'static>, n: u16| Seen { flags: seen.flags | n << 6, ..seen };
    let (analysis, _) = run(&[
        fwd(100, 0, SYN | AE | CWR | ECE),
        rev(500, 101, SYN | ACK | CWR),
        ace(fwd(101, 501, ACK), 2),
        ace(Seen { ecn: 1, ..data(fwd(101, 501, ACK), 10) }, 5),
        ace(Seen { ecn: 3, ..rev(501, 111, ACK) }, 7),
        ace(rev(501, 111, ACK), 0),
    ]);
    assert_eq!(analysis.ecn.agreed, Some(EcnMode::Accurate));
    assert_eq!((analysis.ecn.counts[0].ect1, analysis.ecn.counts[1].ce), (1, 1));
    assert_eq!([analysis.ecn.counts[0].ace, analysis.ecn.counts[1].ace], [0, 3]);
    let (analysis, _) = run(&[fwd(100, 0, SYN | CWR | ECE), rev(500, 101, SYN | ACK | ECE)]);
    assert_eq!(analysis.ecn.agreed, Some(EcnMode::Classic));
}

#[test]
fn zeek_sees_a_connection_from_open_to_close() {
    let (analysis, _) = scene(&[
        data(fwd(101, 501, ACK), 10),
        rev(501, 111, ACK),
        data(rev(501, 111, ACK), 30),
        fwd(111, 531, ACK | FIN),
        rev(531, 112, ACK | FIN),
        fwd(112, 532, ACK),
    ]);
    assert_eq!((history(&analysis), analysis.zeek.conn_state()), ("ShADadFf", ConnState::Sf));
    assert_eq!((analysis.zeek.sizes(), analysis.zeek.missed_bytes), ([10, 30], 0));
}

#[test]
fn zeek_counts_what_was_missed_and_sent_again() {
    let (analysis, _) = scene(&[
        data(fwd(101, 501, ACK), 10),
        data(fwd(121, 501, ACK), 10),
        rev(501, 131, ACK),
        data(fwd(121, 501, ACK), 10),
        Seen { window: 0, ..rev(501, 131, ACK) },
        rev(501, 131, ACK | RST),
    ]);
    assert_eq!((history(&analysis), analysis.zeek.conn_state()), ("ShADaGTwr", ConnState::Rstr));
    assert_eq!((analysis.zeek.sizes(), analysis.zeek.missed_bytes), ([30, 0], 10));
}

#[test]
fn zeek_states_of_connections_that_fail() {
    let states = |scene: &[Seen<'static>]| {
        let (analysis, _) = run(scene);
        (analysis.zeek.conn_state(), history(&analysis).to_owned())
    };
    let syn = fwd(100, 0, SYN);
    assert_eq!(states(&[syn, syn]), (ConnState::S0, "S".into()));
    assert_eq!(states(&[syn, rev(0, 101, RST | ACK)]), (ConnState::Rej, "Sr".into()));
    assert_eq!(states(&[syn, fwd(101, 0, RST)]), (ConnState::Rstos0, "SR".into()));
    assert_eq!(states(&[syn, fwd(101, 0, FIN)]), (ConnState::Sh, "SF".into()));
    assert_eq!(states(&[syn, rev(500, 101, SYN | ACK)]), (ConnState::S1, "Sh".into()));
    assert_eq!(states(&[data(fwd(1, 1, ACK), 5), rev(1, 6, ACK)]), (ConnState::Oth, "Da".into()));
}

#[test]
fn zeek_takes_the_well_known_port_for_the_server() {
    let (mut analysis, mut spare) = (Analysis::default(), Spare::default());
    analysis.segment(&data(fwd(1, 1, ACK), 5), [443, 50_000], &mut spare);
    analysis.segment(&rev(1, 6, ACK), [443, 50_000], &mut spare);
    assert_eq!((history(&analysis), analysis.zeek.client_is_originator()), ("^dA", false));
}

#[test]
fn memory_of_a_connection_is_bounded() {
    let (mut analysis, mut spare) = (Analysis::default(), Spare::default());
    for i in 0..100_000_u32 {
        // Every second segment is missing, nothing is acknowledged.
        analysis.segment(
            &Seen { ts_ns: i64::from(i), ..data(fwd(i.wrapping_mul(200), 501, ACK), 100) },
            PORTS,
            &mut spare,
        );
    }
    assert!(size_of::<Analysis>() <= 1024, "{}", size_of::<Analysis>());
    assert_eq!(analysis.kinds[0].0[4], 99_999);
}
