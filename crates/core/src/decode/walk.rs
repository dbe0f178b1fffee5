//! From the outermost datagram to the innermost one: fragments put together, tunnels opened, checksums judged.

use super::checksum::{self, Verdict};
use super::defrag::{self, Defragmenter, FragmentKey, Outcome};
use super::encap::{EncapId, EncapTable};
use super::tunnel::{self, Context, MAX_TUNNELS};
use super::{Datagram, DecodeOptions, Drop, Fragment, ip};
use crate::capture::Packet;

/// One packet's way.
#[derive(Debug)]
pub(super) struct Walk<'w> {
    options: &'w DecodeOptions,
    packet: &'w Packet,
    context: Context<'w>,
    encaps: &'w mut EncapTable,
    defragmenter: &'w mut Defragmenter,
    tunnels: usize,
    bad_header: bool,
}

impl<'w> Walk<'w> {
    pub fn new(
        options: &'w DecodeOptions,
        packet: &'w Packet,
        context: Context<'w>,
        encaps: &'w mut EncapTable,
        defragmenter: &'w mut Defragmenter,
    ) -> Self {
        Self { options, packet, context, encaps, defragmenter, tunnels: 0, bad_header: false }
    }

    /// Opens tunnels until there is none, or a fragment comes.
    pub fn innermost<'a>(&mut self, datagram: Datagram<'a>) -> Datagram<'a> {
        let mut datagram = datagram;
        self.judge_header(&datagram);
        while self.options.decap && self.tunnels < MAX_TUNNELS && !self.is_fragment(&datagram) {
            let Some(inner) = tunnel::open(&datagram, &mut self.context) else { break };
            self.tunnels += 1;
            self.judge_header(&inner);
            datagram = inner;
        }
        datagram
    }

    /// Fragments that the defragmenter can take: those that are captured in full.
    fn is_fragment(&self, datagram: &Datagram<'_>) -> bool {
        datagram.fragment != Fragment::Whole && datagram.packet.len() == datagram.ip_len as usize
    }

    /// The innermost datagram behind `datagram`, which is put together in `buffer` if it is a fragment.
    pub fn whole<'a>(&mut self, datagram: Datagram<'a>, buffer: &'a mut Vec<u8>) -> Result<Datagram<'a>, Drop> {
        if !self.is_fragment(&datagram) {
            return Ok(datagram);
        }
        let whole = self.reassemble(&datagram, buffer)?;
        Ok(self.innermost(whole))
    }

    fn reassemble<'a>(&mut self, last: &Datagram<'a>, buffer: &'a mut Vec<u8>) -> Result<Datagram<'a>, Drop> {
        let part = ip::fragment_part(last).ok_or(Drop::Broken)?;
        let key = FragmentKey {
            src: last.src,
            dst: last.dst,
            id: part.id,
            encap: self.encap().0,
            proto: part.proto,
            version: last.version,
        };
        let fragment = defrag::Fragment {
            offset: part.offset,
            more: part.more,
            payload: part.payload,
            ip_len: last.ip_len,
            packet: self.packet.number,
            ts_ns: self.packet.ts_ns,
        };
        let (proto, packets, octets) = match self.defragmenter.push(&key, &fragment) {
            Outcome::Complete(whole) => (whole.proto, whole.packets, whole.octets),
            Outcome::Pending | Outcome::Dropped(_) => return Err(Drop::Fragment),
        };
        self.defragmenter.swap_output(buffer);
        let header_len = last.ip_len - part.payload.len() as u32;
        let ip_len = header_len + buffer.len() as u32;
        let (proto, upper) = ip::skip_extensions(proto, buffer);
        let upper_len = upper.len() as u32;
        let (fragment, upper_offset) = (Fragment::Whole, 0);
        Ok(Datagram {
            proto,
            fragment,
            ip_len,
            upper,
            upper_len,
            upper_offset,
            packets,
            octets,
            reassembled: true,
            serial: self.defragmenter.last_serial(),
            ..*last
        })
    }

    /// The identity of what is around the datagram.
    pub fn encap(&mut self) -> EncapId {
        self.encaps.intern(self.context.layers)
    }

    fn judge_header(&mut self, datagram: &Datagram<'_>) {
        if self.options.checksum.checks() && datagram.version == 4 {
            self.bad_header |= checksum::verify_ipv4_header(datagram.packet) == Verdict::Bad;
        }
    }

    /// A checksum on the way was bad, or that of `datagram`'s upper layer is.
    pub fn is_bad(&self, datagram: Option<&Datagram<'_>>) -> bool {
        let checks = self.options.checksum.checks();
        self.bad_header || checks && datagram.is_some_and(|datagram| upper_verdict(datagram) == Verdict::Bad)
    }
}

fn upper_verdict(datagram: &Datagram<'_>) -> Verdict {
    let Datagram { version, src, dst, proto, upper, upper_len, .. } = datagram;
    // With a source route, the pseudo header has the last address of all, and the header may not.
    if datagram.fragment != Fragment::Whole || ip::has_source_route(datagram) {
        return Verdict::Unknown;
    }
    let octets = if *version == 4 { 4 } else { 16 };
    checksum::verify_captured(*version, &src[..octets], &dst[..octets], *proto, upper, *upper_len as usize)
}
