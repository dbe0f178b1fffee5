//! Captures: classic pcap in its six variants, pcapng with every block.

use super::{Seed, frame};
use crate::frame::ethernet;
use crate::pcapng::Pcapng;

/// Every magic number of classic pcap, in the order in which the target counts them, with its variant.
const VARIANTS: [(&str, u32, bool); 6] = [
    ("micros-le", 0xa1b2_c3d4, false),
    ("micros-be", 0xa1b2_c3d4, true),
    ("nanos-le", 0xa1b2_3c4d, false),
    ("nanos-be", 0xa1b2_3c4d, true),
    ("modified-le", 0xa1b2_cd34, false),
    ("modified-be", 0xa1b2_cd34, true),
];

/// Whole capture files, by name.
#[must_use]
pub fn captures() -> Vec<Seed> {
    let classic = VARIANTS.iter().map(|(name, magic, big)| (format!("{name}.pcap"), pcap(*magic, *big, 0xffff)));
    let cut = VARIANTS.iter().map(|(name, magic, big)| (format!("{name}-cut.pcap"), pcap(*magic, *big, 60)));
    let order = |big| if big { "be" } else { "le" };
    let sections = [false, true].map(|big| (format!("blocks-{}.pcapng", order(big)), every_block(big)));
    let plain = [false, true].map(|big| (format!("plain-{}.pcapng", order(big)), plain(big)));
    let clocks = [false, true].map(|big| (format!("clocks-{}.pcapng", order(big)), clocks(big)));
    classic
        .chain(cut)
        .chain(sections)
        .chain(plain)
        .chain(clocks)
        .chain([("two-orders.pcapng".to_owned(), two_orders())])
        .collect()
}

/// For the target, which puts the magic number there itself: its number first, then what stands behind it.
pub(super) fn pcap_seeds() -> Vec<Seed> {
    let classic = captures().into_iter().filter(|(name, _)| name.ends_with(".pcap"));
    (0..6).cycle().zip(classic).map(|(variant, (name, file))| (name, [&[variant], &file[4..]].concat())).collect()
}

/// For the target, which puts the type of the first block there itself.
pub(super) fn pcapng_seeds() -> Vec<Seed> {
    let all = captures().into_iter().filter(|(name, _)| name.ends_with(".pcapng"));
    all.map(|(name, file)| (name, file[4..].to_vec())).collect()
}

fn frames() -> Vec<Vec<u8>> {
    frame::packets().iter().map(|(_, packet)| ethernet(packet)).collect()
}

fn pcap(magic: u32, big: bool, snaplen: usize) -> Vec<u8> {
    let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut out = word(magic).to_vec();
    [half(2), half(4)].iter().for_each(|octets| out.extend_from_slice(octets));
    [0, 0, snaplen as u32, 1].map(word).iter().for_each(|octets| out.extend_from_slice(octets));
    for (frame, second) in frames().iter().zip(1..) {
        let kept = &frame[..frame.len().min(snaplen)];
        [second, 999_999, kept.len() as u32, frame.len() as u32]
            .map(word)
            .iter()
            .for_each(|octets| out.extend_from_slice(octets));
        // Kuznetzov's patch: interface, protocol, packet type, padding.
        if magic == 0xa1b2_cd34 {
            out.extend_from_slice(&[1, 0, 0, 0, 8, 0, 4, 0]);
        }
        out.extend_from_slice(kept);
    }
    out
}

fn plain(big: bool) -> Vec<u8> {
    let mut file = Pcapng::new(big);
    file.interface(1, 0, &[]);
    (0..).zip(frames()).for_each(|(ticks, frame)| _ = file.packet(0, ticks, &frame));
    file.bytes
}

/// Each block type of the format with the options that are read, several interfaces, and a block that nobody knows.
fn every_block(big: bool) -> Vec<u8> {
    let frames = frames();
    let mut file = Pcapng::new(big);
    file.section(big, &[(1, b"a comment"), (2, b"machine"), (3, b"system"), (4, b"program")]);
    let named: [(u16, &[u8]); 5] = [(2, b"eth0"), (3, b"first"), (9, &[9]), (11, b"\0tcp port 80"), (1, b"remark")];
    file.interface(1, 0x4_0000, &named);
    file.interface(101, 40, &[(2, b"tun0")]);
    let count = file.u64(3);
    file.enhanced(0, 1 << 33, &frames[0], 2000, &[(1, b"packet"), (2, &[1, 0, 0, 0]), (4, &count)]);
    file.enhanced(1, 5, &frames[1][14..], 200, &[]);
    file.simple(frames[0].len() as u32, &frames[0]);
    file.obsolete(0, 4, 7, &frames[1], &[(1, b"old")]);
    file.obsolete(1, 0xffff, 8, &frames[0][14..], &[]);
    let (received, dropped) = (file.u64(10), file.u64(2));
    file.statistics(0, &[(4, &received), (5, &dropped), (7, &dropped)]);
    // Name resolution, journal, decryption secrets, custom blocks to copy and not to copy, one unknown.
    let names =
        [&file.u16(1)[..], &file.u16(9), &[192, 0, 2, 1, b'h', b'o', b's', b't', 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    file.block(4, &names).block(9, b"journal entry\n").block(10, b"LSTK\x04\0\0\0key\n");
    file.block(0xbad, &[0, 0, 0x7e, 0xd9, 1, 2, 3]).block(0x4000_0bad, &[0, 0, 0x7e, 0xd9]).block(0x7777, &[1; 12]);
    file.packet(0, 9, &frames[0]);
    file.bytes
}

/// Interfaces with every kind of time: powers of ten and of two, offsets forward and back.
fn clocks(big: bool) -> Vec<u8> {
    let mut file = Pcapng::new(big);
    for (interface, resolution) in (0..).zip([0_u8, 3, 6, 9, 12, 0x80, 0x8a, 0x94, 0xa0, 0xbf, 19]) {
        let offset = file.u64(if interface % 2 == 0 { 1_700_000_000 } else { u64::MAX - 5 });
        file.interface(1, 0, &[(9, &[resolution]), (14, &offset)]);
        file.packet(interface, 0x0001_0002_0003, &frames()[0]);
    }
    file.bytes
}

/// A section in each byte order, interfaces counted anew.
fn two_orders() -> Vec<u8> {
    let mut file = Pcapng::new(false);
    for big in [false, true, false] {
        file.section(big, &[]).interface(1, 0, &[]).packet(0, 77, &frames()[1]);
    }
    file.bytes
}
