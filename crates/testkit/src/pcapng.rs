//! Builds pcapng files in either byte order, block by block; nothing is checked, so that wrong files can be built too.

/// A pcapng file in the making.
#[derive(Clone, Debug, Default)]
pub struct Pcapng {
    big_endian: bool,
    /// The file so far.
    pub bytes: Vec<u8>,
}

/// One option: code and value.
pub type Opt<'a> = (u16, &'a [u8]);

impl Pcapng {
    /// A file that begins with a section header without options.
    #[must_use]
    pub fn new(big_endian: bool) -> Self {
        let mut file = Self { big_endian, bytes: Vec::new() };
        file.section(big_endian, &[]);
        file
    }

    /// The octets of a 16-bit number in the section's byte order.
    #[must_use]
    pub fn u16(&self, n: u16) -> [u8; 2] {
        if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    /// The octets of a 32-bit number in the section's byte order.
    #[must_use]
    pub fn u32(&self, n: u32) -> [u8; 4] {
        if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    /// The octets of a 64-bit number in the section's byte order.
    #[must_use]
    pub fn u64(&self, n: u64) -> [u8; 8] {
        if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    /// A block of any type around `body`, which is padded to four octets.
    pub fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let len = self.u32(body.len() as u32 + 12);
        self.bytes.extend_from_slice(&self.u32(kind));
        self.bytes.extend_from_slice(&len);
        self.bytes.extend_from_slice(&body);
        self.bytes.extend_from_slice(&len);
        self
    }

    /// An option list; empty for no options, else with its end mark.
    #[must_use]
    pub fn options(&self, options: &[Opt<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        for (code, value) in options {
            out.extend_from_slice(&self.u16(*code));
            out.extend_from_slice(&self.u16(value.len() as u16));
            out.extend_from_slice(value);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        if !options.is_empty() {
            out.extend_from_slice(&[0; 4]);
        }
        out
    }

    /// A section header; what follows is in its byte order.
    pub fn section(&mut self, big_endian: bool, options: &[Opt<'_>]) -> &mut Self {
        self.big_endian = big_endian;
        let mut body = self.u32(0x1a2b_3c4d).to_vec();
        body.extend_from_slice(&self.u16(1));
        body.extend_from_slice(&self.u16(0));
        body.extend_from_slice(&[0xff; 8]);
        body.extend_from_slice(&self.options(options));
        self.block(0x0a0d_0d0a, &body)
    }

    /// An interface description.
    pub fn interface(&mut self, link: u16, snaplen: u32, options: &[Opt<'_>]) -> &mut Self {
        let mut body = self.u16(link).to_vec();
        body.extend_from_slice(&[0, 0]);
        body.extend_from_slice(&self.u32(snaplen));
        body.extend_from_slice(&self.options(options));
        self.block(1, &body)
    }

    /// An enhanced packet, whole.
    pub fn packet(&mut self, interface: u32, ticks: u64, data: &[u8]) -> &mut Self {
        self.enhanced(interface, ticks, data, data.len() as u32, &[])
    }

    /// An enhanced packet.
    pub fn enhanced(&mut self, interface: u32, ticks: u64, data: &[u8], wire: u32, options: &[Opt<'_>]) -> &mut Self {
        let mut body = self.u32(interface).to_vec();
        self.packet_body(&mut body, ticks, data, wire, options);
        self.block(6, &body)
    }

    /// An obsolete packet block.
    pub fn obsolete(&mut self, interface: u16, drops: u16, ticks: u64, data: &[u8], options: &[Opt<'_>]) -> &mut Self {
        let mut body = self.u16(interface).to_vec();
        body.extend_from_slice(&self.u16(drops));
        self.packet_body(&mut body, ticks, data, data.len() as u32, options);
        self.block(2, &body)
    }

    fn packet_body(&self, body: &mut Vec<u8>, ticks: u64, data: &[u8], wire: u32, options: &[Opt<'_>]) {
        body.extend_from_slice(&self.u32((ticks >> 32) as u32));
        body.extend_from_slice(&self.u32(ticks as u32));
        body.extend_from_slice(&self.u32(data.len() as u32));
        body.extend_from_slice(&self.u32(wire));
        body.extend_from_slice(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend_from_slice(&self.options(options));
    }

    /// A simple packet.
    pub fn simple(&mut self, wire: u32, data: &[u8]) -> &mut Self {
        let mut body = self.u32(wire).to_vec();
        body.extend_from_slice(data);
        self.block(3, &body)
    }

    /// An interface statistics block.
    pub fn statistics(&mut self, interface: u32, options: &[Opt<'_>]) -> &mut Self {
        let mut body = self.u32(interface).to_vec();
        body.extend_from_slice(&[0; 8]);
        body.extend_from_slice(&self.options(options));
        self.block(5, &body)
    }
}
