//! Connections as an observer sees them: each case is a script of segments and what must come out, by the RFCs.
//! Every script runs with several pairs of ISNs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

mod connection;

use connection::{Outcome, check, check_with, options, run};
use tcpskein_core::connection::ConnectionLimits;
use tcpskein_core::session::StreamSessionOptions;
use tcpskein_core::stream::{Deliver, StreamLimits};
use tcpskein_testkit::frame::TcpFrame;

const HANDSHAKE: &str = "c S 0\n s SA 0/1\n c A 1/1\n";

/// A script behind a handshake.
#[track_caller]
fn after_handshake(script: &str, expected: &str) -> Outcome {
    check(&format!("{HANDSHAKE}{script}"), &format!("open c>s\n{expected}"))
}

fn limits(connections: ConnectionLimits) -> StreamSessionOptions {
    StreamSessionOptions { connections, ..options() }
}

// Opening

#[test]
fn handshake_data_and_fins_close_the_connection() {
    let script = "c PA 1/1 hello\n s A 1/6\n s PA 1/6 world\n c FA 6/6\n s FA 6/7\n c A 7/7";
    let outcome = after_handshake(script, "fwd 0 hello\n rev 0 world\n close fin closed connected 5/4 5/5");
    let record = &outcome.records[0];
    assert_eq!((record["isn_fwd"], record["isn_rev"]), (Some(1000), Some(2000)));
    assert_eq!((record["first_packet"], record["first_ns"]), (Some(1), Some(1_000_000_010_000_000)));
    assert_eq!((record["payload_bytes_fwd"], record["payload_bytes_rev"]), (Some(5), Some(5)));
}

#[test]
fn simultaneous_open_is_one_established_connection() {
    // RFC 9293 section 3.5, figure 7.
    let script = "c S 0\n s S 0\n c SA 0/1\n s SA 0/1\n c PA 1/1 hi\n s PA 1/3 ho";
    check(script, "open c>s\n fwd 0 hi\n rev 0 ho\n close eof established connected 3/3 2/2");
}

#[test]
fn syn_without_answer_stays_syn_sent() {
    check("c S 0\n c S 0 +1s\n c S 0 +2s", "open c>s\n close eof syn_sent 3/0 0/0");
}

#[test]
fn syn_answered_and_never_acknowledged_stays_syn_received() {
    check("c S 0\n s SA 0/1\n s SA 0/1 +1s", "open c>s\n close eof syn_received 1/2 0/0");
}

#[test]
fn plain_ack_from_the_server_is_no_answer_to_a_syn() {
    // Taking any segment with SYN or ACK for a SYN-ACK completes a handshake that never was.
    check("c S 0\n s A 0/1\n c A 1/1", "open c>s\n close eof syn_sent 2/1 0/0");
}

#[test]
fn syn_ack_first_makes_its_receiver_the_client() {
    let script = "s SA 0/1\n c A 1/1\n c PA 1/1 hello\n s PA 1/6 hi";
    check(script, "open c>s\n fwd 0 hello\n rev 0 hi\n close eof established 2/2 5/2");
}

#[test]
fn syn_behind_its_answer_is_the_same_connection() {
    let script = "s SA 0/1\n c S 0\n c A 1/1\n c PA 1/1 hello";
    check(script, "open c>s\n fwd 0 hello\n close eof established connected 3/1 5/0");
}

#[test]
fn syn_behind_its_data_puts_the_stream_in_order() {
    let script = "c PA 1/1 ab\n c S 0\n s SA 0/1\n c PA 3/1 cd";
    check(script, "open c>s\n fwd 0 abcd\n close eof midstream connected 3/1 4/0");
}

#[test]
fn data_on_the_syn_is_offset_zero() {
    // RFC 7413 section 4.2: the server took it.
    let script = "c S 0 hello\n s SA 0/6\n c A 6/1\n c PA 6/1 !";
    check(script, "open c>s\n fwd 0 hello!\n close eof established connected 3/1 6/0");
}

#[test]
fn data_on_the_syn_sent_again_is_delivered_once() {
    // RFC 7413 section 4.2.2: the server didn't take it.
    let script = "c S 0 hello\n s SA 0/1\n c PA 1/1 hello\n c PA 6/1 !";
    check(script, "open c>s\n fwd 0 hello!\n close eof established connected 3/1 6/0");
}

#[test]
fn data_on_the_syn_ack_is_offset_zero() {
    check("c S 0\n s SA 0/1 hi\n c A 1/3", "open c>s\n rev 0 hi\n close eof established connected 2/1 0/2");
}

#[test]
fn midstream_connection_begins_where_the_capture_does() {
    let script = "c PA 500/900 abc\n s A 900/503\n s PA 900/503 de";
    check(script, "open c>s\n fwd 0 abc\n rev 0 de\n close eof midstream 1/2 3/2");
}

#[test]
fn one_sided_capture_delivers_its_side() {
    let script = "c S 0\n c A 1/1\n c PA 1/1 abc\n c PA 4/9 def\n c FA 7/9";
    check(script, "open c>s\n fwd 0 abcdef\n close eof closing 5/0 6/0");
}

#[test]
fn server_side_alone_delivers_its_side() {
    let script = "s SA 0/1\n s A 1/6\n s PA 1/6 world\n s FA 6/6";
    // The client's five octets were acknowledged and never seen: nothing tells where they begin.
    check(script, "open c>s\n rev 0 world\n close eof closing 0/4 0/5");
}

#[test]
fn syn_retransmitted_with_other_flags_keeps_the_first() {
    // The last SYN must not win: RFC 3168 section 6.1.1.1 repeats a SYN without ECN.
    let outcome = check("c SEC 0\n c S 0 +1s\n s SA 0/1", "open c>s\n close eof syn_received 2/1 0/0");
    assert_eq!((outcome.records[0]["syn_flags_fwd"], outcome.records[0]["syn_flags_rev"]), (Some(0xc2), Some(0x12)));
}

#[test]
fn option_of_length_zero_ends_the_list() {
    let outcome = check("c S 0 o=0200000002040578", "open c>s\n close eof syn_sent 1/0 0/0");
    assert_eq!(outcome.records[0]["mss_fwd"], None);
    let outcome = check("c S 0 o=0204057801010402", "open c>s\n close eof syn_sent 1/0 0/0");
    assert_eq!((outcome.records[0]["mss_fwd"], outcome.records[0]["sack_permitted_fwd"]), (Some(1400), Some(1)));
}

// Octets

#[test]
fn padding_behind_the_ip_packet_is_no_payload() {
    after_handshake(
        "s A 1/1 pad=6\n c PA 1/1 hello pad=4\n c A 6/1 pad=6\n c PA 6/1 !",
        "fwd 0 hello!\n close eof established connected 5/2 6/0",
    );
}

#[test]
fn urgent_data_stays_in_line() {
    // RFC 9293 section 3.8.5, RFC 6093 section 3.
    after_handshake(
        "c PA 1/1 abc\n c PAU 4/1 de\n c PA 6/1 f",
        "fwd 0 abcdef\n close eof established connected 5/1 6/0",
    );
}

#[test]
fn sequence_numbers_around_zero_are_neighbours() {
    // With an ISN of 2^32 - 1 the first octet is number 0; with 2^32 - 2 the second is.
    after_handshake(
        "c PA 1/1 a\n c PA 3/1 c\n c PA 2/1 b\n c PA 4/1 d\n c PA 5/1 e",
        "fwd 0 abcde\n close eof established connected 7/1 5/0",
    );
}

#[test]
fn filling_a_hole_releases_every_waiting_segment() {
    // A loop that skips an element after it removed one leaves every second behind.
    after_handshake(
        "c PA 2/1 b\n c PA 3/1 c\n c PA 4/1 d\n c PA 5/1 e\n c PA 1/1 a",
        "fwd 0 abcde\n close eof established connected 7/1 5/0",
    );
}

#[test]
fn lost_octets_are_a_gap_once_acknowledged_and_waited_for() {
    after_handshake(
        "c PA 1/1 abc\n c PA 6/1 fgh\n s A 1/9\n c PA 9/1 ij +1s\n c PA 11/1 k +2s",
        "fwd 0 abc\n fwd gap 3 2\n fwd 5 fghijk\n close eof established connected 6/2 9/0",
    );
}

#[test]
fn lost_octets_without_acknowledgement_wait_for_the_end() {
    after_handshake(
        "c PA 1/1 abc\n c PA 6/1 fgh\n c PA 9/1 ij +90s\n s PA 1/4 x",
        "fwd 0 abc\n rev 0 x\n fwd gap 3 2\n fwd 5 fghij\n close eof established connected 5/2 8/1",
    );
}

#[test]
fn keep_alive_octet_never_reaches_the_stream() {
    // RFC 9293 section 3.8.4: with a garbage octet, without one, and repeated.
    let outcome = after_handshake(
        "c PA 1/1 hello\n s A 1/6\n c A 5/1 # +75s\n s A 1/6\n c A 5/1 +75s\n c A 5/1 # +75s\n s A 1/6\n c PA 6/1 more",
        "fwd 0 hellomore\n close eof established connected 7/4 9/0",
    );
    assert_eq!((outcome.keep_alives, outcome.records[0]["conflict_bytes_fwd"]), (2, Some(0)));
}

#[test]
fn keep_alive_before_any_data_never_reaches_the_stream() {
    after_handshake(
        "c A 0/1 # +75s\n s A 1/1\n c PA 1/1 hello",
        "fwd 0 hello\n close eof established connected 4/2 5/0",
    );
}

#[test]
fn keep_alive_as_the_first_segment_seen_is_no_start() {
    check("c A 499/900\n s A 900/500\n c PA 500/900 hello", "open c>s\n fwd 0 hello\n close eof midstream 2/1 5/0");
    check(
        "s A 900/500\n c A 499/900 #\n s A 900/500\n c PA 500/900 hello",
        "open s>c\n rev 0 hello\n close eof midstream 2/2 0/5",
    );
}

#[test]
fn zero_window_probe_that_was_refused_never_reaches_the_stream() {
    // RFC 9293 section 3.8.6.1: the octet is garbage in some stacks.
    after_handshake(
        "c PA 1/1 hello\n s A 1/6 w=0\n c A 6/1 # +1s\n s A 1/6 w=0\n c A 6/1 # +2s\n s A 1/6 w=0\n s A 1/6\n c PA 6/1 more",
        "fwd 0 hellomore\n close eof established connected 6/5 9/0",
    );
}

#[test]
fn zero_window_probe_that_was_taken_is_data() {
    after_handshake(
        "c PA 1/1 hello\n s A 1/6 w=0\n c A 6/1 m +1s\n s A 1/7\n c PA 7/1 ore",
        "fwd 0 hellomore\n close eof established connected 5/3 9/0",
    );
}

#[test]
fn octets_claimed_beyond_the_packet_on_the_wire_are_not_counted() {
    let mut frame = TcpFrame { ack: 1, payload: b"abc", ..TcpFrame::new(1, 0x18) }.frame();
    frame[16..18].copy_from_slice(&1000_u16.to_be_bytes());
    let outcome = run(options(), &tcpskein_testkit::frame::pcap(&[(1, frame)]));
    assert_eq!(outcome.lines, ["open c>s", "fwd 0 abc", "close eof midstream 1/0 3/0"]);
    assert_eq!(outcome.records[0]["payload_bytes_fwd"], Some(3));
}

#[test]
fn octets_that_were_not_captured_are_a_gap() {
    after_handshake(
        "c PA 1/1 abcdef cut=2\n c PA 7/1 gh\n s A 1/9",
        "fwd 0 ab\n fwd gap 2 4\n fwd 6 gh\n close eof established connected 4/2 4/0",
    );
}

#[test]
fn stream_beyond_four_gigabytes_keeps_its_offsets() {
    // 66,000 segments of 65,000 octets of which 4 were captured.
    let segments: u64 = 66_100;
    let mut script = String::from(HANDSHAKE);
    for i in 0..segments {
        script.push_str(&format!("c A {}/1 len=65000 cut=4\n", (1 + i * 65_000) as u32));
        if i % 100 == 99 {
            script.push_str(&format!("s A 1/{}\n", (1 + (i + 1) * 65_000) as u32));
        }
    }
    script.push_str(&format!("c FPA {}/1 end\n", (1 + segments * 65_000) as u32));
    let outcome = run(options(), &connection::capture(&script, (u32::MAX - 9, 7)));
    let end = segments * 65_000;
    assert!(end > 1 << 32);
    assert!(outcome.lines.contains(&format!("fwd {end} end")), "{:?}", outcome.lines.last());
    let record = &outcome.records[0];
    assert_eq!(record["stream_len_fwd"], Some((segments * 4 + 3) as i64));
    assert_eq!(record["gap_bytes_fwd"], Some((segments * (65_000 - 4)) as i64));
}

#[test]
fn acked_delivery_holds_octets_until_the_acknowledgement() {
    let streams = StreamLimits { deliver: Deliver::Acked, ..StreamLimits::default() };
    let options = StreamSessionOptions { streams, ..options() };
    let script = format!("{HANDSHAKE} c PA 1/1 hello\n s PA 1/3 x\n c PA 6/2 more\n s A 2/8\n c A 10/2");
    check_with(
        &options,
        &script,
        "open c>s\n fwd 0 he\n rev 0 x\n fwd 2 llomore\n close eof established connected 5/3 9/1",
    );
}

// Ends

#[test]
fn half_close_lets_the_other_side_go_on() {
    after_handshake(
        "c FA 1/1\n s A 1/2\n s PA 1/2 abc\n c A 2/4\n s PA 4/2 def +60s\n c A 2/7",
        "rev 0 abcdef\n close eof closing connected 5/4 0/6",
    );
}

#[test]
fn fin_with_data_stands_behind_it() {
    // Setting the next number to the FIN's own plus one loses the payload's length.
    let outcome = after_handshake(
        "c FPA 1/1 bye\n s FPA 1/5 ciao\n c A 5/6",
        "fwd 0 bye\n rev 0 ciao\n close fin closed connected 4/2 3/4",
    );
    assert_eq!(outcome.records[0]["retransmitted_bytes_fwd"], Some(0));
}

#[test]
fn fin_with_data_is_acknowledged_only_behind_the_data() {
    after_handshake("c FPA 1/1 bye\n s FA 1/2\n c A 5/2", "fwd 0 bye\n close fin closing connected 4/2 3/0");
}

#[test]
fn fin_with_data_sent_again_brings_nothing_new() {
    let outcome = after_handshake(
        "c FPA 1/1 bye\n c FPA 1/1 bye +1s\n s A 1/5",
        "fwd 0 bye\n close eof closing connected 4/2 3/0",
    );
    assert_eq!(outcome.records[0]["retransmitted_bytes_fwd"], Some(3));
}

#[test]
fn fin_before_lost_data_waits_for_it() {
    after_handshake(
        "c FPA 4/1 def\n c PA 1/1 abc\n s FA 1/8\n c A 8/2",
        "fwd 0 abcdef\n close fin closed connected 5/2 6/0",
    );
}

#[test]
fn fin_behind_lost_octets_shows_that_they_are_missing() {
    after_handshake("c PA 1/1 abc\n c FA 9/1", "fwd 0 abc\n fwd gap 3 5\n close eof closing connected 4/1 3/0");
}

#[test]
fn fin_belongs_to_the_side_that_sent_it() {
    let outcome = after_handshake("c FA 1/1", "close eof closing connected 3/1 0/0");
    assert_eq!((outcome.records[0]["fin_fwd"], outcome.records[0]["fin_rev"]), (Some(1), Some(0)));
    let outcome = after_handshake("s FA 1/1", "close eof closing connected 2/2 0/0");
    assert_eq!((outcome.records[0]["fin_fwd"], outcome.records[0]["fin_rev"]), (Some(0), Some(1)));
}

#[test]
fn fins_that_nobody_acknowledged_are_not_closed() {
    after_handshake("c FA 1/1\n s FA 1/1", "close fin closing connected 3/2 0/0");
}

#[test]
fn rst_at_the_next_number_resets() {
    after_handshake("c PA 1/1 hi\n s R 1/0", "fwd 0 hi\n close rst reset connected 3/2 2/0");
}

#[test]
fn rst_inside_the_window_resets() {
    after_handshake("s R 60000/0", "close rst reset connected 2/2 0/0");
}

#[test]
fn rst_outside_the_window_changes_nothing() {
    // RFC 5961 section 3.2; windows of 65,535, no scaling.
    let outcome = after_handshake(
        "s R 100000/0\n c PA 1/1 hi\n s PA 1/3 ho",
        "fwd 0 hi\n rev 0 ho\n close eof established connected 3/3 2/2",
    );
    assert_eq!((outcome.records[0]["rst_rev"], outcome.records[0]["rst_fwd"]), (Some(1), Some(0)));
}

#[test]
fn window_scaling_widens_what_a_rst_may_hit() {
    let shake = "c S 0 ws=7\n s SA 0/1 ws=7\n c A 1/1 w=1000\n";
    check(&format!("{shake} s R 100000/0"), "open c>s\n close rst reset connected 2/2 0/0");
    check(&format!("{shake} s R 129000/0"), "open c>s\n close eof established connected 2/2 0/0");
    // RFC 7323 section 2.2: both sides must ask for it, and a SYN's own window is never scaled.
    let one = "c S 0 ws=7\n s SA 0/1\n c A 1/1 w=1000\n";
    check(&format!("{one} s R 100000/0"), "open c>s\n close eof established connected 2/2 0/0");
}

#[test]
fn rst_that_answers_the_syn_resets() {
    check("c S 0\n s RA 0/1", "open c>s\n close rst reset 1/1 0/0");
}

#[test]
fn rst_that_acknowledges_no_syn_changes_nothing() {
    // RFC 9293 section 3.10.7.3.
    check("c S 0\n s RA 0/0", "open c>s\n close eof syn_sent 1/1 0/0");
}

#[test]
fn payload_of_a_rst_is_no_stream_data() {
    // RFC 9293 section 3.5.3.
    let outcome = after_handshake("s RA 1/1 because", "close rst reset connected 2/2 0/0");
    assert_eq!(outcome.records[0]["payload_bytes_rev"], Some(7));
}

#[test]
fn rst_behind_both_fins_stays_closed_by_fin() {
    let outcome = after_handshake("c FA 1/1\n s FA 1/2\n c A 2/2\n c R 2/0", "close fin closed connected 5/2 0/0");
    assert_eq!(outcome.records[0]["rst_fwd"], Some(1));
}

// Ports used again

#[test]
fn syn_with_another_number_after_the_end_begins_anew() {
    after_handshake(
        "c FA 1/1\n s FA 1/2\n c A 2/2\n c S 9000 +1s\n s SA 5000/9001\n c PA 9001/5001 new",
        "close fin closed connected 4/2 0/0\n open c>s\n fwd 0 new\n close eof established connected 2/1 3/0",
    );
}

#[test]
fn syn_with_another_number_after_a_rst_begins_anew() {
    after_handshake("s R 1/1\n c S 9000", "close rst reset connected 2/2 0/0\n open c>s\n close eof syn_sent 1/0 0/0");
}

#[test]
fn syn_outside_the_window_begins_anew() {
    after_handshake(
        "c S 900000\n s SA 5000/900001",
        "close reuse established connected 2/1 0/0\n open c>s\n close eof syn_received 1/1 0/0",
    );
}

#[test]
fn syn_inside_the_window_changes_nothing() {
    // RFC 5961 section 4.2.
    after_handshake("c S 9000\n s A 1/1\n c PA 1/1 hi", "fwd 0 hi\n close eof established connected 4/2 2/0");
}

#[test]
fn syn_inside_the_window_after_the_idle_time_begins_anew() {
    after_handshake(
        "c S 9000 +3h\n s SA 5000/9001",
        "close idle established connected 2/1 0/0\n open c>s\n close eof syn_received 1/1 0/0",
    );
}

#[test]
fn syn_sent_again_is_the_same_connection() {
    check(
        "c S 0\n s SA 0/1\n c S 0\n s SA 0/1\n c A 1/1\n c S 0\n c PA 1/1 hi",
        "open c>s\n fwd 0 hi\n close eof established connected 5/2 2/0",
    );
}

#[test]
fn syn_sent_again_after_the_end_is_the_same_connection() {
    after_handshake("c FA 1/1\n s FA 1/2\n c A 2/2\n c S 0", "close fin closed connected 5/2 0/0");
}

#[test]
fn syn_with_another_number_and_no_answer_yet_begins_anew() {
    check("c S 0\n c S 70000 +1s", "open c>s\n close reuse syn_sent 1/0 0/0\n open c>s\n close eof syn_sent 1/0 0/0");
}

#[test]
fn client_that_becomes_the_server_begins_anew() {
    after_handshake(
        "c FA 1/1\n s FA 1/2\n c A 2/2\n s S 9000\n c SA 9000/9001",
        "close fin closed connected 4/2 0/0\n open s>c\n close eof syn_received 1/1 0/0",
    );
}

// Limits

#[test]
fn full_table_lets_the_least_recently_seen_go_and_counts_it() {
    let options = limits(ConnectionLimits { connections: 2, ..ConnectionLimits::default() });
    let script = "c S 0 p=1001\n c S 0 p=1002\n c S 0 p=1001 +1s\n c S 0 p=1003";
    let expected = "1001 open c>s\n 1002 open c>s\n 1002 close evicted syn_sent 1/0 0/0\n 1003 open c>s
        1001 close eof syn_sent 2/0 0/0\n 1003 close eof syn_sent 1/0 0/0";
    assert_eq!(check_with(&options, script, expected).evicted, 1);
}

#[test]
fn connection_seen_again_after_the_table_was_full_is_not_the_next_to_go() {
    let options = limits(ConnectionLimits { connections: 3, ..ConnectionLimits::default() });
    let script = "c S 0 p=1001\n c S 0 p=1002\n c S 0 p=1003\n c S 0 p=1004\n c S 0 p=1002\n c S 0 p=1005";
    let expected = "1001 open c>s\n 1002 open c>s\n 1003 open c>s\n 1001 close evicted syn_sent 1/0 0/0
        1004 open c>s\n 1003 close evicted syn_sent 1/0 0/0\n 1005 open c>s\n 1002 close eof syn_sent 2/0 0/0
        1004 close eof syn_sent 1/0 0/0\n 1005 close eof syn_sent 1/0 0/0";
    assert_eq!(check_with(&options, script, expected).evicted, 2);
}

#[test]
fn full_table_lets_one_that_is_over_go_first() {
    let options = limits(ConnectionLimits { connections: 2, ..ConnectionLimits::default() });
    let script = "c S 0 p=1001\n c S 0 p=1002\n s RA 0/1 p=1002\n c S 0 p=1003";
    let expected = "1001 open c>s\n 1002 open c>s\n 1002 close rst reset 1/1 0/0\n 1003 open c>s
        1001 close eof syn_sent 1/0 0/0\n 1003 close eof syn_sent 1/0 0/0";
    assert_eq!(check_with(&options, script, expected).evicted, 1);
}

#[test]
fn what_waits_comes_out_when_a_connection_is_evicted() {
    let options = limits(ConnectionLimits { connections: 1, ..ConnectionLimits::default() });
    let script = "c S 0 p=1001\n c PA 3/1 cd p=1001\n c S 0 p=1002";
    let expected = "1001 open c>s\n 1001 fwd gap 0 2\n 1001 fwd 2 cd\n 1001 close evicted syn_sent 2/0 2/0
        1002 open c>s\n 1002 close eof syn_sent 1/0 0/0";
    check_with(&options, script, expected);
}

#[test]
fn connection_without_segments_for_the_idle_time_ends() {
    let options = limits(ConnectionLimits { idle_ns: 60_000_000_000, ..ConnectionLimits::default() });
    let script = "c PA 1/1 a\n c S 0 p=1001 +50s\n c PA 2/1 b\n c S 0 p=1001 +50s\n c S 0 p=1001 +20s\n c PA 3/1 c";
    let expected = "open c>s\n fwd 0 a\n 1001 open c>s\n fwd 1 b\n close idle midstream 2/0 2/0
        open c>s\n fwd 0 c\n 1001 close eof syn_sent 3/0 0/0\n close eof midstream 1/0 1/0";
    check_with(&options, script, expected);
}

#[test]
fn pause_of_the_whole_capture_ends_no_connection() {
    let script = "c PA 1/1 a\n c PA 1/1 z p=1001\n c PA 2/1 b +30d\n c PA 2/1 y p=1001";
    let expected = "open c>s\n fwd 0 a\n 1001 open c>s\n 1001 fwd 0 z\n fwd 1 b\n 1001 fwd 1 y
        close eof midstream 2/0 2/0\n 1001 close eof midstream 2/0 2/0";
    check(script, expected);
}

#[test]
fn one_wrong_timestamp_ends_no_connection() {
    let script = "c PA 1/1 a\n c S 0 p=1001 +9000d\n c S 0 p=1001 -9000d\n c PA 2/1 b";
    let expected = "open c>s\n fwd 0 a\n 1001 open c>s\n fwd 1 b
        close eof midstream 2/0 2/0\n 1001 close eof syn_sent 2/0 0/0";
    check(script, expected);
}

#[test]
fn late_segments_count_while_the_connection_lingers() {
    // A host repeats its FIN for minutes: each repetition makes it linger anew.
    after_handshake(
        "s FA 1/1\n c FA 1/2\n c FA 1/2 +60s\n c FA 1/2 +110s\n c S 0 p=1001 +119s\n c FA 1/2",
        "1001 open c>s\n close fin closing connected 6/2 0/0\n 1001 close eof syn_sent 1/0 0/0",
    );
}

#[test]
fn connection_that_is_over_leaves_after_the_linger_time() {
    after_handshake(
        "s R 1/1\n c S 0 p=1001 +125s\n c S 0 p=1001\n c A 1/1",
        "close rst reset connected 2/2 0/0\n 1001 open c>s\n open c>s
         1001 close eof syn_sent 2/0 0/0\n close eof midstream 1/0 0/0",
    );
}

// Packets

#[test]
fn packets_stand_before_what_they_bring() {
    let options = StreamSessionOptions { packets: true, frames: true, ..options() };
    let script = "c S 0\n s SA 0/1\n c A 1/1\n c PA 4/1 def\n c A 1/1 abc\n s R 1";
    // An Ethernet, an IPv4 and a TCP header are 54 octets.
    let expected = "open c>s\n fwd packet S 0/54 syn_sent\n rev packet SA 0/54 syn_received
        fwd packet A 0/54 established\n fwd packet PA 3/57 established\n fwd packet A 3/57 established\n fwd 0 abcdef
        rev packet R 0/54 reset\n close rst reset connected 4/2 6/0";
    check_with(&options, script, expected);
}

#[test]
fn packets_and_data_come_without_octets_where_only_headers_are_wanted() {
    let options = StreamSessionOptions { packets: true, bare: true, ..options() };
    // What stands in the block is what was there before.
    let expected = "open c>s\n fwd packet PA 3/0 midstream\n fwd 0 \0\0\0\n fwd packet PA 2/0 midstream\n fwd 3 \0\0
        close eof midstream 2/0 5/0";
    check_with(&options, "c PA 1/1 abc\n c PA 4/1 de", expected);
}

// Marks

/// A script behind a handshake, with marks.
#[track_caller]
fn marks(script: &str, expected: &str) {
    let options = StreamSessionOptions { marks: true, ..options() };
    check_with(&options, &format!("{HANDSHAKE}{script}"), &format!("open c>s\n{expected}"));
}

#[test]
fn marks_stand_where_the_payload_of_their_segment_ends() {
    let script = "c PA 1/1 hello\n c A 6/1 and\n c UA 9/1 on\n s PA 1/11\n c FPA 11/1 !\n s FA 1/13\n c A 13/2";
    let expected = "fwd 0 hello\n fwd mark 5 PA\n fwd 5 andon\n fwd mark 10 AU\n rev mark 0 PA
        fwd 10 !\n fwd mark 11 FPA\n rev mark 0 FA over\n close fin closed connected 7/3 11/0";
    marks(script, expected);
}

#[test]
fn mark_of_a_segment_that_waits_comes_at_once_with_its_own_place() {
    let script = "c PA 4/1 def\n c A 1/1 abc\n c PA 4/1 def";
    let expected = "fwd mark 6 PA waits\n fwd 0 abcdef\n fwd mark 6 PA\n close eof established connected 5/1 6/0";
    marks(script, expected);
}

#[test]
fn end_with_something_missing_is_over_and_waits() {
    let script = "c A 1/1 ab\n c FA 5/1\n s FA 1/3\n c A 3/2 cd";
    let expected = "fwd 0 ab\n fwd mark 4 FA waits\n rev mark 0 FA over waits\n fwd 2 cd
        close fin closing connected 5/2 4/0";
    marks(script, expected);
}

#[test]
fn reset_is_over_at_once_and_its_payload_is_no_stream_data() {
    let script = "c PA 1/1 ab\n s RA 1/3 because\n s RA 8/3";
    let expected = "fwd 0 ab\n fwd mark 2 PA\n rev mark 0 RA over\n rev mark 0 RA\n close rst reset connected 3/3 2/0";
    marks(script, expected);
}

#[test]
fn segment_with_neither_syn_nor_ack_is_marked() {
    marks("c E 1 ab\n c R 3", "fwd 0 ab\n fwd mark 2 E\n fwd mark 2 R over\n close rst reset connected 4/1 2/0");
}
