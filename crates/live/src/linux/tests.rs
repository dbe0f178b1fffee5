//! The socket on the loopback, which needs the privilege: skipped, with a line that says so, where it is lacking.

#![expect(clippy::print_stderr, reason = "a test is skipped loudly")]

use std::net::UdpSocket;

use super::*;

fn open(options: &LiveOptions) -> Option<PacketSocket> {
    match PacketSocket::open(options) {
        Ok(source) => Some(source),
        Err(error @ (FlowError::NotPermitted { .. } | FlowError::Interface { .. })) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Sends datagrams with these payloads to a port of this machine; the port.
fn send(payloads: &[&[u8]]) -> u16 {
    let to = UdpSocket::bind("127.0.0.1:0").unwrap();
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    for payload in payloads {
        from.send_to(payload, to.local_addr().unwrap()).unwrap();
    }
    to.local_addr().unwrap().port()
}

/// What comes to `port` until nothing more does: payloads, and lengths on the wire.
fn take(source: &mut PacketSocket, port: u16) -> Vec<(Vec<u8>, u32)> {
    std::thread::sleep(source.delay());
    let mut found = Vec::new();
    while source.advance().unwrap() {
        let packet = source.packet();
        if packet.rest.get(36..38) == Some(&port.to_be_bytes()) {
            found.push((packet.rest[42..].to_vec(), packet.wire_len));
        }
    }
    found
}

#[test]
fn loopback_gives_each_packet_once_and_cut_at_the_snaplen() {
    let Some(mut source) = open(&LiveOptions { snaplen: 50, ..LiveOptions::new("lo") }) else { return };
    let port = send(&[b"one", b"the second one"]);
    assert_eq!(take(&mut source, port), [(b"one".to_vec(), 45), (b"the seco".to_vec(), 56)]);
    assert!(source.losses().received >= 2);
    assert_eq!(source.losses().by_system, 0);
}

#[test]
fn nothing_that_arrives_after_the_end_comes() {
    let Some(mut source) = open(&LiveOptions::new("lo")) else { return };
    let first = send(&[b"before"]);
    source.stop_intake();
    let second = send(&[b"after"]);
    std::thread::sleep(source.delay());
    let mut ports = Vec::new();
    while source.advance().unwrap() {
        ports.extend(source.packet().rest.get(36..38).map(|port| u16::from_be_bytes([port[0], port[1]])));
    }
    assert!(ports.contains(&first) && !ports.contains(&second));
}

#[test]
fn direction_out_of_the_loopback_is_what_was_sent() {
    for direction in [Direction::In, Direction::Out] {
        let Some(mut source) = open(&LiveOptions { direction, ..LiveOptions::new("lo") }) else { return };
        let port = send(&[b"x"]);
        assert_eq!(take(&mut source, port).len(), 1, "{direction:?}");
    }
}

#[test]
fn ring_that_is_full_counts_what_it_drops() {
    let Some(mut source) = open(&LiveOptions { ring_bytes: 1 << 20, ..LiveOptions::new("lo") }) else { return };
    let payload = vec![7; 8000];
    for _ in 0..20 {
        send(&[&payload[..]; 20]);
    }
    std::thread::sleep(source.delay());
    let losses = source.losses();
    assert!(losses.by_system > 100 && losses.received >= 400, "{losses:?}");
    // What was in time is there, and afterwards there is room again.
    let mut taken = 0;
    while source.advance().unwrap() {
        taken += 1;
    }
    assert_eq!(taken, losses.received - losses.by_system);
    let port = send(&[b"again"]);
    assert_eq!(take(&mut source, port).len(), 1);
}

#[test]
fn interfaces_that_can_not_be_captured_on_are_named() {
    for name in ["no-such-interface", "a name that is too long for any interface", "nul\0in it"] {
        let error = PacketSocket::open(&LiveOptions::new(name)).err().unwrap();
        assert!(matches!(error, FlowError::Interface { .. }), "{error}");
    }
}
