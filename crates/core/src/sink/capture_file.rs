//! How packets stand in a capture file: classic pcap and pcapng, in either byte order.
//!
//! Everything is written to a caller's buffer. A header and whole records: whatever is cut off behind a record leaves a
//! capture that can be read.

use crate::capture::{LinkType, Packet};

/// A kind of capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Classic pcap: one link type per file, 32-bit seconds.
    Pcap,
    /// pcapng: an interface per link type and snapshot length.
    Pcapng,
}

/// What a capture file says of the interface that packets came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Link-layer header type.
    pub link: LinkType,
    /// Octets kept of each packet at most; 0 where there is no limit.
    pub snaplen: u32,
}

/// How files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureFormat {
    /// pcap or pcapng.
    pub container: Container,
    /// Numbers in network byte order.
    pub big_endian: bool,
    /// Times in nanoseconds; otherwise in microseconds, rounded down.
    pub nanosecond: bool,
}

/// Snapshot length of a classic pcap without one: the longest packet that readers believe.
const NO_SNAPLEN: u32 = crate::capture::MAX_PACKET_LEN;

const NS: i64 = 1_000_000_000;

impl CaptureFormat {
    /// Begins a file: of classic pcap with the interface of all its packets.
    pub fn header(&self, interface: Interface, out: &mut Vec<u8>) {
        match self.container {
            Container::Pcap => {
                self.u32(out, if self.nanosecond { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
                self.u16(out, 2);
                self.u16(out, 4);
                // Offset from UTC and accuracy of times: 0 in practice (draft-ietf-opsawg-pcap section 4).
                self.u32(out, 0);
                self.u32(out, 0);
                self.u32(out, if interface.snaplen == 0 { NO_SNAPLEN } else { interface.snaplen });
                self.u32(out, u32::from(interface.link.0));
            }
            Container::Pcapng => {
                // Section header block, of unknown length (draft-ietf-opsawg-pcapng section 4.1).
                self.u32(out, 0x0a0d_0d0a);
                self.u32(out, 28);
                self.u32(out, 0x1a2b_3c4d);
                self.u16(out, 1);
                self.u16(out, 0);
                self.u32(out, u32::MAX);
                self.u32(out, u32::MAX);
                self.u32(out, 28);
            }
        }
    }

    /// Describes an interface, which gets the next number from 0; classic pcap has said all in its header.
    pub fn interface(&self, interface: Interface, out: &mut Vec<u8>) {
        if self.container == Container::Pcap {
            return;
        }
        // Interface description block with if_tsresol (section 4.2).
        self.u32(out, 1);
        self.u32(out, 32);
        self.u16(out, interface.link.0);
        self.u16(out, 0);
        self.u32(out, interface.snaplen);
        self.u16(out, 9);
        self.u16(out, 1);
        out.extend_from_slice(&[if self.nanosecond { 9 } else { 6 }, 0, 0, 0]);
        self.u32(out, 0);
        self.u32(out, 32);
    }

    /// Writes a packet of interface `number`; false where its time is none that the format has, so that another one
    /// stands there: 0 before 1970, the last second there is after it.
    pub fn packet(&self, packet: &Packet, frame: &[u8], number: u32, out: &mut Vec<u8>) -> bool {
        match self.container {
            Container::Pcap => self.pcap_packet(packet, frame, out),
            Container::Pcapng => self.pcapng_packet(packet, frame, number, out),
        }
    }

    fn pcap_packet(&self, packet: &Packet, frame: &[u8], out: &mut Vec<u8>) -> bool {
        let seconds = packet.ts_ns.div_euclid(NS);
        let fits = u32::try_from(seconds).is_ok();
        let rest = if fits { packet.ts_ns.rem_euclid(NS) as u32 } else { 0 };
        out.reserve(16 + frame.len());
        self.u32(out, seconds.clamp(0, i64::from(u32::MAX)) as u32);
        self.u32(out, if self.nanosecond { rest } else { rest / 1000 });
        self.u32(out, frame.len() as u32);
        self.u32(out, packet.wire_len);
        out.extend_from_slice(frame);
        fits
    }

    fn pcapng_packet(&self, packet: &Packet, frame: &[u8], number: u32, out: &mut Vec<u8>) -> bool {
        let ticks = packet.ts_ns.max(0) as u64 / if self.nanosecond { 1 } else { 1000 };
        let padding = frame.len().wrapping_neg() & 3;
        let length = (32 + frame.len() + padding) as u32;
        out.reserve(length as usize);
        // Enhanced packet block (section 4.3).
        self.u32(out, 6);
        self.u32(out, length);
        self.u32(out, number);
        self.u32(out, (ticks >> 32) as u32);
        self.u32(out, ticks as u32);
        self.u32(out, frame.len() as u32);
        self.u32(out, packet.wire_len);
        out.extend_from_slice(frame);
        out.extend_from_slice(&[0; 3][..padding]);
        self.u32(out, length);
        packet.ts_ns >= 0
    }

    #[inline]
    fn u32(&self, out: &mut Vec<u8>, value: u32) {
        out.extend_from_slice(&if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    #[inline]
    fn u16(&self, out: &mut Vec<u8>, value: u16) {
        out.extend_from_slice(&if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Container as Reader, Step};

    /// Time, link type, octets on the wire, octets.
    type Read = (i64, LinkType, u32, Vec<u8>);

    /// What the readers of captures find in `file`, and the snapshot lengths of its interfaces.
    fn read(file: &[u8]) -> (Vec<Read>, Vec<u32>) {
        let (mut reader, mut at, mut packets) = (Reader::default(), 0, Vec::new());
        while at < file.len() {
            match reader.step(&file[at..], at as u64).unwrap_or(Step::Need(0)) {
                Step::Packet(head) => {
                    let data = &file[at + head.data as usize..][..head.captured_len as usize];
                    packets.push((head.ts_ns, head.link, head.wire_len, data.to_vec()));
                    at += head.next as usize;
                }
                Step::Discard(octets) => at += octets as usize,
                Step::Need(_) | Step::Tick { .. } => break,
            }
        }
        assert_eq!(at, file.len(), "something can't be read");
        (packets, reader.info().interfaces.iter().map(|interface| interface.snaplen).collect())
    }

    fn packet(ts_ns: i64, link: u16, len: usize) -> Packet {
        let captured_len = len as u32;
        Packet {
            number: 1,
            ts_ns,
            start: 0,
            captured_len,
            wire_len: 1500,
            link: LinkType(link),
            interface: 0,
            capture: 0,
        }
    }

    #[test]
    fn files_read_again_give_the_packets() {
        for (container, big_endian, nanosecond) in [
            (Container::Pcap, false, false),
            (Container::Pcap, true, true),
            (Container::Pcapng, false, true),
            (Container::Pcapng, true, false),
        ] {
            let format = CaptureFormat { container, big_endian, nanosecond };
            let interface = Interface { link: LinkType(101), snaplen: 96 };
            let mut file = Vec::new();
            format.header(interface, &mut file);
            format.interface(interface, &mut file);
            let mut expected = Vec::new();
            for len in 0..6_usize {
                let ns = 1_500_000_000_123_456_789 + len as i64;
                let data: Vec<u8> = (0..len).map(|i| i as u8).collect();
                assert!(format.packet(&packet(ns, 101, len), &data, 0, &mut file));
                expected.push((if nanosecond { ns } else { ns / 1000 * 1000 }, LinkType(101), 1500, data));
            }
            assert_eq!(read(&file), (expected, vec![96]), "{format:?}");
        }
    }

    #[test]
    fn pcapng_has_several_interfaces() {
        let format = CaptureFormat { container: Container::Pcapng, big_endian: false, nanosecond: true };
        let mut file = Vec::new();
        let interfaces = [1, 113].map(|link| Interface { link: LinkType(link), snaplen: 0 });
        format.header(interfaces[0], &mut file);
        for (number, interface) in interfaces.into_iter().enumerate() {
            format.interface(interface, &mut file);
            format.packet(&packet(5, interface.link.0, 1), &[7], number as u32, &mut file);
        }
        let (packets, snaplens) = read(&file);
        assert_eq!(packets.iter().map(|packet| packet.1.0).collect::<Vec<_>>(), [1, 113]);
        assert_eq!(snaplens, [0, 0]);
    }

    #[test]
    fn time_that_the_format_has_not_is_told() {
        let far = (i64::from(u32::MAX) + 1) * NS;
        for (container, ts_ns, fits, stands) in [
            (Container::Pcap, far, false, i64::from(u32::MAX) * NS),
            (Container::Pcap, far - 1, true, far - 1),
            (Container::Pcap, -1, false, 0),
            (Container::Pcapng, far, true, far),
            (Container::Pcapng, -1, false, 0),
        ] {
            let format = CaptureFormat { container, big_endian: false, nanosecond: true };
            let mut file = Vec::new();
            let interface = Interface { link: LinkType(1), snaplen: 0 };
            format.header(interface, &mut file);
            format.interface(interface, &mut file);
            assert_eq!(format.packet(&packet(ts_ns, 1, 1), &[0], 0, &mut file), fits, "{container:?} {ts_ns}");
            assert_eq!(read(&file).0[0].0, stands);
        }
    }
}
