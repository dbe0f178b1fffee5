//! One payload for every tunnel that is opened.

use crate::frame::ethernet;
use crate::link::{ethertype_of, geneve, gre, gtp, join, mpls, pptp, udp, vxlan};

/// What the outer IP packet holds for each tunnel around the IP packet `inner`: the tunnel's name, the outer packet's
/// protocol number, and its payload, which ends with the packet.
#[must_use]
pub fn tunnels(inner: &[u8]) -> Vec<(&'static str, u8, Vec<u8>)> {
    let kind = ethertype_of(inner);
    let frame = ethernet(inner);
    let to = |port, payload: &[u8]| udp((50_000, port), payload);
    let erspan_2 = join(&[&[0x10, 5, 0, 7, 0, 0, 0, 0], &frame]);
    let erspan_3 = join(&[&[0x20, 5, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1], &[0; 8], &frame]);
    let gpe = join(&[&[0x0c, 0, 0, 1, 0, 0, 7, 0], inner]);
    vec![
        ("gre", 47, gre(kind, None, None, inner)),
        ("gre", 47, gre(kind, Some(7), Some(1), inner)),
        ("gre", 47, gre(0x6558, None, None, &frame)),
        ("gre", 47, gre(0x8847, Some(7), None, &mpls(&[16], inner))),
        ("gre", 47, gre(0x883e, None, None, &join(&[&[0; 4], inner]))),
        ("nvgre", 47, gre(0x6558, Some(7 << 8 | 3), None, &frame)),
        ("pptp", 47, pptp(9, inner)),
        ("erspan", 47, gre(0x88be, None, Some(1), &erspan_2)),
        ("erspan", 47, gre(0x88be, None, None, &frame)),
        ("erspan", 47, gre(0x22eb, None, Some(1), &erspan_3)),
        ("etherip", 97, join(&[&[0x30, 0], &frame])),
        ("etherip", 143, frame.clone()),
        ("mpls", 137, mpls(&[16, 17], inner)),
        ("mpls", 17, to(6635, &mpls(&[16], inner))),
        ("gre", 17, to(4754, &gre(kind, None, None, inner))),
        ("vxlan", 17, to(4789, &vxlan(7, &frame))),
        ("vxlan", 17, to(8472, &vxlan(7, &frame))),
        ("vxlan", 17, to(4790, &gpe)),
        ("geneve", 17, to(6081, &geneve(7, &[1; 8], &frame))),
        ("gtp", 17, to(2152, &gtp(0x1234, inner))),
    ]
}
