//! Builds Ethernet, IP and TCP frames and classic pcap files, octet by octet.

use std::net::IpAddr;

/// One TCP frame to build; [`TcpFrame::new`] gives defaults.
#[derive(Clone, Debug)]
pub struct TcpFrame<'a> {
    /// Source address; its family decides IPv4 or IPv6.
    pub src: IpAddr,
    /// Destination address, of the same family.
    pub dst: IpAddr,
    /// Source and destination port.
    pub ports: (u16, u16),
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags octet.
    pub flags: u8,
    /// Receive window, unscaled.
    pub window: u16,
    /// Options, padded to a multiple of four by the caller.
    pub options: &'a [u8],
    /// Payload.
    pub payload: &'a [u8],
}

impl<'a> TcpFrame<'a> {
    /// A segment of 10.0.0.1:1000 → 10.0.0.2:80 without payload.
    #[must_use]
    pub fn new(seq: u32, flags: u8) -> Self {
        Self {
            src: IpAddr::from([10, 0, 0, 1]),
            dst: IpAddr::from([10, 0, 0, 2]),
            ports: (1000, 80),
            seq,
            ack: 0,
            flags,
            window: 65535,
            options: &[],
            payload: &[],
        }
    }

    /// The same segment in the other direction.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        std::mem::swap(&mut self.src, &mut self.dst);
        self.ports = (self.ports.1, self.ports.0);
        self
    }

    /// TCP header and payload.
    #[must_use]
    pub fn segment(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(20 + self.options.len() + self.payload.len());
        out.extend_from_slice(&self.ports.0.to_be_bytes());
        out.extend_from_slice(&self.ports.1.to_be_bytes());
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.ack.to_be_bytes());
        out.push((((20 + self.options.len()) / 4) as u8) << 4);
        out.push(self.flags);
        out.extend_from_slice(&self.window.to_be_bytes());
        out.extend_from_slice(&[0, 0, 0, 0]);
        out.extend_from_slice(self.options);
        out.extend_from_slice(self.payload);
        out
    }

    /// The IP packet.
    #[must_use]
    pub fn packet(&self) -> Vec<u8> {
        ip_packet(self.src, self.dst, 6, &self.segment())
    }

    /// The Ethernet frame.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        ethernet(&self.packet())
    }
}

/// An IP packet around `payload` with upper-layer protocol `proto`; checksums are zero.
#[must_use]
pub fn ip_packet(src: IpAddr, dst: IpAddr, proto: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(40 + payload.len());
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&((20 + payload.len()) as u16).to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 0, 64, proto, 0, 0]);
            out.extend_from_slice(&src.octets());
            out.extend_from_slice(&dst.octets());
        }
        (src, dst) => {
            let octets = |a: IpAddr| match a {
                IpAddr::V4(a) => a.to_ipv6_mapped().octets(),
                IpAddr::V6(a) => a.octets(),
            };
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&(payload.len() as u16).to_be_bytes());
            out.extend_from_slice(&[proto, 64]);
            out.extend_from_slice(&octets(src));
            out.extend_from_slice(&octets(dst));
        }
    }
    out.extend_from_slice(payload);
    out
}

/// An Ethernet II frame around an IP packet.
#[must_use]
pub fn ethernet(packet: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let is_v6 = packet.first().is_some_and(|b| b >> 4 == 6);
    out.extend_from_slice(if is_v6 { &[0x86, 0xdd] } else { &[0x08, 0x00] });
    out.extend_from_slice(packet);
    out
}

/// A classic little-endian microsecond pcap file of Ethernet frames: `(microseconds, frame)`.
#[must_use]
pub fn pcap(frames: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
    out.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&262_144_u32.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    for (micros, frame) in frames {
        out.extend_from_slice(&((micros / 1_000_000) as u32).to_le_bytes());
        out.extend_from_slice(&((micros % 1_000_000) as u32).to_le_bytes());
        out.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        out.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        out.extend_from_slice(frame);
    }
    out
}
