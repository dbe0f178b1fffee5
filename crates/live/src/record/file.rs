//! The file that is written, and the ones before it.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use tcpskein_core::capture::{LinkType, Losses};
use tcpskein_core::error::FlowError;

use super::names::numbered;
use super::{FileFormat, RecordOptions, RecordTotals};
use crate::clock::now_ns;
use crate::framing::{self, Described};
use crate::options::LiveOptions;
use crate::source::{LivePacket, PacketSource};

/// Octets that are kept back to be written at once.
const BUFFER_LEN: usize = 256 << 10;

/// Zstandard's quickest level but one: a recording must keep up with the line.
#[cfg(feature = "zstd")]
const ZSTD_LEVEL: i32 = 1;

/// A file, or a compressor in front of one.
enum Sink {
    Plain(File),
    #[cfg(feature = "zstd")]
    Zstd(Box<zstd::stream::write::Encoder<'static, File>>),
}

fn refused(path: &std::path::Path, op: &'static str, source: io::Error) -> FlowError {
    FlowError::Output { path: path.to_string_lossy().into_owned(), op, source }
}

impl Sink {
    fn create(path: &std::path::Path, zstd: bool) -> Result<Self, FlowError> {
        let failed = |source: io::Error| refused(path, "write the file", source);
        let file = File::create(path).map_err(failed)?;
        if !zstd {
            return Ok(Self::Plain(file));
        }
        #[cfg(feature = "zstd")]
        return zstd::stream::write::Encoder::new(file, ZSTD_LEVEL).map(|e| Self::Zstd(Box::new(e))).map_err(failed);
        #[cfg(not(feature = "zstd"))]
        Err(FlowError::InvalidOption { name: "zstd", reason: "this build has no Zstandard".to_owned() })
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(octets),
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.write_all(octets),
        }
    }

    /// What was written can be read by others. Compressed octets come in whole blocks only.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.flush(),
        }
    }

    fn close(self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.finish().map(drop),
        }
    }
}

/// Writes packets, and begins new files.
pub(super) struct Writer {
    options: RecordOptions,
    snaplen: u32,
    nanoseconds: bool,
    filter_text: Option<String>,
    /// The link type of a classic file; the interface of a pcapng file from one interface.
    only: Option<(u32, LinkType)>,
    name: String,
    sink: Option<Sink>,
    path: PathBuf,
    buffer: Vec<u8>,
    /// Numbers in the file of interfaces.
    interfaces: HashMap<(u32, LinkType), u32>,
    /// Octets of the file so far, before compression.
    file_len: u64,
    /// Packets of the file so far, and when it began.
    file_packets: u64,
    begun_ns: i64,
    /// Files that are whole, the oldest first.
    before: VecDeque<PathBuf>,
    totals: RecordTotals,
}

impl Writer {
    /// Makes the first file.
    pub fn open(options: RecordOptions, live: &LiveOptions, source: &impl PacketSource) -> Result<Self, FlowError> {
        let only = source.only_interface();
        if options.format == FileFormat::Pcap && only.is_none() {
            return Err(FlowError::LiveUnsupported { reason: "pcap files hold one link type; use pcapng".to_owned() });
        }
        let mut writer = Self {
            snaplen: live.snaplen,
            nanoseconds: live.nanoseconds,
            filter_text: live.filter_text.clone(),
            only,
            name: live.interface.clone(),
            sink: None,
            path: PathBuf::new(),
            buffer: Vec::with_capacity(BUFFER_LEN),
            interfaces: HashMap::new(),
            file_len: 0,
            file_packets: 0,
            begun_ns: 0,
            before: VecDeque::new(),
            totals: RecordTotals::default(),
            options,
        };
        writer.begin(source)?;
        Ok(writer)
    }

    pub fn totals(&self) -> RecordTotals {
        RecordTotals { file_bytes: self.totals.file_bytes + self.file_len, ..self.totals }
    }

    fn rotates(&self) -> bool {
        self.options.rotate_bytes.is_some() || self.options.rotate_time.is_some()
    }

    fn begin(&mut self, source: &impl PacketSource) -> Result<(), FlowError> {
        self.totals.files += 1;
        let path = &self.options.path;
        self.path = if self.rotates() { numbered(path, self.totals.files) } else { path.clone() };
        self.sink = Some(Sink::create(&self.path, self.options.zstd)?);
        (self.file_len, self.file_packets) = (0, 0);
        self.interfaces.clear();
        match (self.options.format, self.only) {
            (FileFormat::Pcap, only) => {
                let link = only.map_or(LinkType::ETHERNET, |(_, link)| link);
                self.buffer.extend_from_slice(&framing::file_head(link, self.snaplen, self.nanoseconds));
            }
            (FileFormat::Pcapng, only) => {
                framing::section(&mut self.buffer);
                if let Some(only) = only {
                    self.interface(only, source);
                }
            }
        }
        self.file_len = self.buffer.len() as u64;
        Ok(())
    }

    /// The number in the file of an interface, which is described where it comes for the first time.
    fn interface(&mut self, key: (u32, LinkType), source: &impl PacketSource) -> u32 {
        if let Some(id) = self.interfaces.get(&key) {
            return *id;
        }
        let id = self.interfaces.len() as u32;
        self.interfaces.insert(key, id);
        let name = if self.only.is_some() { self.name.clone() } else { source.interface_name(key.0) };
        let filter = self.filter_text.as_deref();
        let start = self.buffer.len();
        framing::interface(&mut self.buffer, &Described { name: &name, link: key.1, snaplen: self.snaplen, filter });
        self.file_len += (self.buffer.len() - start) as u64;
        id
    }

    /// Writes a packet, in a new file where its time has come.
    pub fn write(&mut self, packet: &LivePacket<'_>, source: &impl PacketSource) -> Result<(), FlowError> {
        let len = match self.options.format {
            FileFormat::Pcap => framing::RECORD_HEAD_LEN + packet.captured_len(),
            FileFormat::Pcapng => framing::packet_len(packet),
        };
        if self.is_full(len, packet.ts_ns) {
            self.rotate(source)?;
        }
        if self.file_packets == 0 {
            self.begun_ns = packet.ts_ns;
        }
        let id = match self.options.format {
            FileFormat::Pcap => 0,
            FileFormat::Pcapng => self.interface((packet.interface, packet.link), source),
        };
        let start = self.buffer.len();
        self.buffer.resize(start + len, 0);
        let room = &mut self.buffer[start..];
        match self.options.format {
            FileFormat::Pcap => framing::record(room, self.nanoseconds, packet),
            FileFormat::Pcapng => {
                let ts_ns = if self.nanoseconds { packet.ts_ns } else { packet.ts_ns.div_euclid(1000) * 1000 };
                framing::packet(room, id, &LivePacket { ts_ns, ..*packet });
            }
        }
        self.file_len += len as u64;
        self.file_packets += 1;
        self.totals.packets += 1;
        self.totals.captured_bytes += packet.captured_len() as u64;
        if self.buffer.len() >= BUFFER_LEN { self.write_buffer() } else { Ok(()) }
    }

    /// A file has one packet at least.
    fn is_full(&self, len: usize, ts_ns: i64) -> bool {
        let RecordOptions { rotate_bytes, rotate_time, .. } = &self.options;
        let too_long = rotate_bytes.is_some_and(|most| self.file_len + len as u64 > most);
        let too_old = rotate_time.is_some_and(|most| {
            u128::from(ts_ns.saturating_sub(self.begun_ns).max(0).unsigned_abs()) >= most.as_nanos()
        });
        self.file_packets > 0 && (too_long || too_old)
    }

    fn rotate(&mut self, source: &impl PacketSource) -> Result<(), FlowError> {
        self.close(None)?;
        self.begin(source)
    }

    fn write_buffer(&mut self) -> Result<(), FlowError> {
        if let Some(sink) = &mut self.sink {
            sink.write(&self.buffer).map_err(|error| self.failed(error))?;
        }
        self.buffer.clear();
        Ok(())
    }

    /// No packet is there: what was kept back is written.
    pub fn flush(&mut self) -> Result<(), FlowError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.write_buffer()?;
        self.sink.as_mut().map_or(Ok(()), Sink::flush).map_err(|error| self.failed(error))
    }

    /// Ends the last file.
    pub fn finish(&mut self, losses: Losses) -> Result<(), FlowError> {
        self.close(Some(losses))
    }

    fn close(&mut self, losses: Option<Losses>) -> Result<(), FlowError> {
        if let (FileFormat::Pcapng, Some(losses), Some(_)) = (self.options.format, losses, self.only) {
            let start = self.buffer.len();
            framing::statistics(&mut self.buffer, 0, now_ns(), losses, self.totals.packets);
            self.file_len += (self.buffer.len() - start) as u64;
        }
        self.write_buffer()?;
        if let Some(sink) = self.sink.take() {
            sink.close().map_err(|error| self.failed(error))?;
        }
        self.totals.file_bytes += std::mem::take(&mut self.file_len);
        if self.options.max_files.is_some() {
            self.before.push_back(self.path.clone());
        }
        self.drop_oldest(losses.is_none())
    }

    /// Removes the oldest files until there are `most` and, where a new one is about to begin, room for that.
    fn drop_oldest(&mut self, begins: bool) -> Result<(), FlowError> {
        let Some(most) = self.options.max_files else { return Ok(()) };
        let keep = (most as usize).max(1) - usize::from(begins);
        while self.before.len() > keep {
            let Some(oldest) = self.before.pop_front() else { break };
            std::fs::remove_file(&oldest).map_err(|source| refused(&oldest, "remove the oldest file", source))?;
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> FlowError {
        refused(&self.path, "write the file", source)
    }
}
