//! gzip (RFC 1952) around flate2's raw inflate: headers, checksums and several members are done here, so that what
//! was inflated before broken data still comes out.

use std::io::{self, BufRead, ErrorKind};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::source::Source;

const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

// RFC 1952 section 2.3.1: the flags.
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Decodes gzip members, one after another.
pub(super) struct GzipReader {
    source: Source,
    inflate: Decompress,
    state: State,
    /// Of the header, then of the member's octets.
    crc: Crc,
    /// Inflating failed after it had given octets.
    failed: Option<io::Error>,
}

#[derive(Clone, Copy)]
enum State {
    Header,
    Body,
    End,
}

impl GzipReader {
    pub(super) fn new(source: Source) -> Self {
        let inflate = Decompress::new(false);
        Self { source, inflate, state: State::Header, crc: Crc::new(), failed: None }
    }

    /// Decodes into `out`; 0 at the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Header => self.header()?,
                State::Body => match self.body(out)? {
                    0 => self.trailer()?,
                    n => return Ok(n),
                },
                State::End => return Ok(0),
            }
        }
    }

    /// Section 2.3: fixed fields, then those that the flags announce.
    fn header(&mut self) -> io::Result<()> {
        self.crc.reset();
        let fixed = self.take::<10>()?;
        if fixed[..3] != MAGIC {
            return Err(broken("something else follows its end"));
        }
        let flags = fixed[3];
        if flags & RESERVED != 0 {
            return Err(broken("unknown flags in a header"));
        }
        if flags & EXTRA != 0 {
            for _ in 0..u16::from_le_bytes(self.take()?) {
                self.take::<1>()?;
            }
        }
        for text in [NAME, COMMENT] {
            while flags & text != 0 && self.take::<1>()? != [0] {}
        }
        if flags & HEADER_CRC != 0 {
            let expected = self.crc.sum() as u16;
            if u16::from_le_bytes(self.take()?) != expected {
                return Err(broken("a header's checksum is wrong"));
            }
        }
        self.crc.reset();
        self.inflate.reset(false);
        self.state = State::Body;
        Ok(())
    }

    /// Inflates until something comes out; 0 at the member's end.
    fn body(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        loop {
            let bytes = self.source.fill_buf()?;
            if bytes.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
            let result = self.inflate.decompress(bytes, out, FlushDecompress::None);
            // Neither is more than a buffer's length.
            self.source.consume((self.inflate.total_in() - taken) as usize);
            let written = (self.inflate.total_out() - given) as usize;
            self.crc.update(&out[..written]);
            match result {
                Ok(Status::StreamEnd) if written == 0 => return Ok(0),
                Ok(_) if written == 0 => {}
                Ok(_) => return Ok(written),
                Err(error) if written == 0 => return Err(broken(&error.to_string())),
                Err(error) => {
                    self.failed = Some(broken(&error.to_string()));
                    return Ok(written);
                }
            }
        }
    }

    /// Checksum and length, then another member, or the end. Zeros after the last member are padding.
    fn trailer(&mut self) -> io::Result<()> {
        let (sum, amount) = (self.crc.sum(), self.crc.amount());
        if u32::from_le_bytes(self.take()?) != sum {
            return Err(broken("the checksum is wrong"));
        }
        if u32::from_le_bytes(self.take()?) != amount {
            return Err(broken("the length at its end is wrong"));
        }
        self.state = State::Header;
        loop {
            let bytes = self.source.fill_buf()?;
            if bytes.is_empty() {
                self.state = State::End;
                return Ok(());
            }
            let zeros = bytes.iter().take_while(|&&octet| octet == 0).count();
            let done = zeros < bytes.len();
            self.source.consume(zeros);
            if done {
                return Ok(());
            }
        }
    }

    /// The next `N` octets of a header or trailer.
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut octets = [0; N];
        io::Read::read_exact(&mut self.source, &mut octets)?;
        self.crc.update(&octets);
        Ok(octets)
    }
}

fn broken(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.to_owned())
}
