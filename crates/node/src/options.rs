//! Options as JavaScript gives them, already checked and filled with defaults there.

use std::thread::available_parallelism;

use napi_derive::napi;
use tcpskein_core::capture::CaptureRange;
use tcpskein_core::chain::Chain;
use tcpskein_core::connection::ConnectionLimits;
use tcpskein_core::decode::DecodeOptions;
use tcpskein_core::decode::checksum::ChecksumMode;
use tcpskein_core::decode::defrag::{FragmentConfig, FragmentPolicy};
use tcpskein_core::error::FlowError;
use tcpskein_core::filter::Filter;
use tcpskein_core::flow::FlowTableOptions;
use tcpskein_core::partition::Keep;
use tcpskein_core::session::{
    FlowOfFragment, FlowRules, FlowSessionOptions, PacketSessionOptions, PartitionSessionOptions, StreamSessionOptions,
    TraceSessionOptions,
};
use tcpskein_core::sink::{CaptureFormat, Container, FileSetOptions};
use tcpskein_core::stream::{Deliver, OverlapPolicy, StreamLimits};

use crate::resolve::Resolver;

/// Options of a flow reader.
#[napi(object)]
pub struct NativeFlowOptions {
    /// Names of built-in chains, in the order of their columns.
    pub chains: Vec<String>,
    /// Seconds of packet time.
    pub idle_timeout: f64,
    /// Seconds of packet time.
    pub expiry_timeout: f64,
    /// Most open flows.
    pub max_flows: u32,
    /// One flow for all packets.
    pub aggregate: bool,
    /// Which packets to take, in tcpdump's language.
    pub filter: Option<String>,
    /// How packets are decoded.
    pub decode: NativeDecodeOptions,
}

/// Threads that a capture is given where nothing is said, as measured: one that reads ahead is worth it even where
/// JavaScript needs one of two processors; one more that decodes isn't.
fn useful_threads() -> usize {
    let processors = available_parallelism().map_or(1, |processors| processors.get());
    processors.min(2)
}

/// How packets are decoded.
#[napi(object)]
pub struct NativeDecodeOptions {
    /// Tunnels are opened.
    pub decap: bool,
    /// VLANs and tunnels are no part of a flow's identity.
    pub ignore_encap: bool,
    /// What is done about checksums: a word.
    pub checksum: String,
    /// Who wins where fragments overlap: a word.
    pub fragment_policy: String,
    /// Seconds of packet time an IPv4 datagram may take.
    pub fragment_timeout_v4: f64,
    /// The same for IPv6.
    pub fragment_timeout_v6: f64,
    /// Octets of all datagrams that are not complete.
    pub fragment_max_bytes: f64,
    /// Threads for one capture; 0: as many as are of use here.
    pub threads: u32,
}

impl TryFrom<NativeDecodeOptions> for DecodeOptions {
    type Error = FlowError;

    fn try_from(options: NativeDecodeOptions) -> Result<Self, FlowError> {
        let unknown = |name, word: &str| FlowError::InvalidOption { name, reason: format!("'{word}' is not known") };
        let NativeDecodeOptions { decap, ignore_encap, checksum, fragment_policy, threads, .. } = options;
        Ok(Self {
            decap,
            ignore_encap,
            checksum: ChecksumMode::from_name(&checksum).ok_or_else(|| unknown("checksum", &checksum))?,
            fragments: FragmentConfig {
                policy: FragmentPolicy::from_name(&fragment_policy)
                    .ok_or_else(|| unknown("fragments.policy", &fragment_policy))?,
                timeout_v4_ns: nanoseconds(options.fragment_timeout_v4),
                timeout_v6_ns: nanoseconds(options.fragment_timeout_v6),
                max_octets: options.fragment_max_bytes as usize,
                ..FragmentConfig::default()
            },
            threads: match threads {
                0 => useful_threads(),
                wanted => wanted as usize,
            },
        })
    }
}

/// Options of a stream reader.
#[napi(object)]
pub struct NativeStreamOptions {
    /// Give events; otherwise only records come.
    pub events: bool,
    /// Give marks too: segments whose flags say more than their octets do.
    pub marks: bool,
    /// With events: give packets too.
    pub packets: bool,
    /// Packets have their frames.
    pub frames: bool,
    /// Data events have no octets.
    pub bare: bool,
    /// Octets that follow each other are one event.
    pub join: bool,
    /// Compute SHA-256 of each direction.
    pub sha256: bool,
    /// Whose octets stay in an overlap.
    pub policy: String,
    /// Hand octets over when the peer acknowledged them.
    pub acked: bool,
    /// Octets of memory for waiting octets of one direction.
    pub max_direction_bytes: f64,
    /// The same for all directions together.
    pub max_waiting_bytes: f64,
    /// Octets of memory for recently delivered octets.
    pub conflict_window: f64,
    /// Seconds of packet time.
    pub gap_patience: f64,
    /// Most known connections.
    pub max_connections: u32,
    /// Seconds of packet time.
    pub idle_timeout: f64,
    /// Seconds of packet time.
    pub linger: f64,
    /// Most gaps listed for a direction.
    pub max_gaps: u32,
    /// Analyse each connection.
    pub analyse: bool,
    /// Which packets to take, in tcpdump's language.
    pub filter: Option<String>,
    /// How packets are decoded.
    pub decode: NativeDecodeOptions,
}

impl TryFrom<NativeStreamOptions> for StreamSessionOptions {
    type Error = FlowError;

    fn try_from(options: NativeStreamOptions) -> Result<Self, FlowError> {
        Ok(Self {
            streams: StreamLimits {
                direction_octets: options.max_direction_bytes as u64,
                total_octets: options.max_waiting_bytes as u64,
                history_octets: options.conflict_window as u64,
                gap_patience_ns: nanoseconds(options.gap_patience).max(0) as u64,
                policy: OverlapPolicy::parse(&options.policy)?,
                deliver: if options.acked { Deliver::Acked } else { Deliver::Contiguous },
            },
            connections: ConnectionLimits {
                connections: options.max_connections as usize,
                idle_ns: nanoseconds(options.idle_timeout),
                linger_ns: nanoseconds(options.linger),
            },
            events: options.events,
            marks: options.marks,
            packets: options.packets,
            frames: options.frames,
            bare: options.bare,
            join: options.join,
            sha256: options.sha256,
            max_gaps: options.max_gaps as usize,
            analyse: options.analyse,
            series: Vec::new(),
            head_octets: 0,
            decode: options.decode.try_into()?,
            filter: compile(options.filter.as_deref())?,
        })
    }
}

/// A filter from its text; the error points at the token.
pub fn compile(text: Option<&str>) -> Result<Option<Filter>, FlowError> {
    let Some(text) = text else { return Ok(None) };
    let resolver = Resolver::new();
    let filter = Filter::compile_with(text, &|name| resolver.addresses(name)).map_err(|error| {
        FlowError::InvalidOption { name: "filter", reason: format!("{error}\n{}", error.picture()) }
    })?;
    Ok(Some(filter))
}

impl TryFrom<NativeFlowOptions> for FlowSessionOptions {
    type Error = FlowError;

    fn try_from(options: NativeFlowOptions) -> Result<Self, FlowError> {
        Ok(Self {
            chains: options.chains.iter().map(|name| Chain::from_name(name)).collect::<Result<_, _>>()?,
            table: FlowTableOptions {
                idle_timeout_ns: nanoseconds(options.idle_timeout),
                expiry_timeout_ns: nanoseconds(options.expiry_timeout),
                max_flows: options.max_flows as usize,
            },
            aggregate: options.aggregate,
            decode: options.decode.try_into()?,
            filter: compile(options.filter.as_deref())?,
        })
    }
}

/// Options of a packet reader.
#[napi(object)]
pub struct NativePacketOptions {
    /// One flow for all packets.
    pub aggregate: bool,
    /// Give frames too: where they lie, their lengths and link types.
    pub frames: Option<bool>,
    /// Which packets to take, in tcpdump's language.
    pub filter: Option<String>,
    /// How packets are decoded.
    pub decode: NativeDecodeOptions,
}

impl TryFrom<NativePacketOptions> for PacketSessionOptions {
    type Error = FlowError;

    fn try_from(options: NativePacketOptions) -> Result<Self, FlowError> {
        Ok(Self {
            aggregate: options.aggregate,
            frames: options.frames.unwrap_or_default(),
            filter: compile(options.filter.as_deref())?,
            decode: options.decode.try_into()?,
        })
    }
}

/// Options of a reader of packets with partition keys.
#[napi(object)]
pub struct NativePartitionOptions {
    /// Only what other parts of the job have to know.
    pub survey: bool,
    /// Whole frames, not headers only.
    pub payload: bool,
    /// Only packets of TCP.
    pub tcp_only: bool,
    /// First octet of each file that is read, and the octet behind the last one.
    pub range: Option<Vec<f64>>,
    /// Packets of the capture before the first octet that is read.
    pub packets_before: f64,
    /// The latest time among those packets: nanoseconds since the Unix epoch, in decimal digits.
    pub time_before: Option<String>,
    /// Number of the first capture.
    pub first_capture: u32,
    /// Fragments whose flows are known.
    pub fragments: Vec<NativeFragment>,
    /// Which packets to take, in tcpdump's language.
    pub filter: Option<String>,
    /// How packets are decoded.
    pub decode: NativeDecodeOptions,
}

/// The flow that a fragment belongs to.
#[napi(object)]
pub struct NativeFragment {
    /// Number of its capture.
    pub capture: u32,
    /// Its number in the capture.
    pub packet: f64,
    /// Its partition key, in decimal digits.
    pub key: String,
}

impl TryFrom<NativePartitionOptions> for PartitionSessionOptions {
    type Error = FlowError;

    fn try_from(options: NativePartitionOptions) -> Result<Self, FlowError> {
        let fragments = options.fragments.into_iter().map(|NativeFragment { capture, packet, key }| {
            let reason = || FlowError::InvalidOption { name: "fragments", reason: format!("'{key}' is no key") };
            Ok(FlowOfFragment { capture, number: packet as u64, key: key.parse().map_err(|_| reason())? })
        });
        Ok(Self {
            survey: options.survey,
            keep: if options.payload { Keep::Frames } else { Keep::Headers },
            tcp_only: options.tcp_only,
            range: options.range.as_deref().and_then(|range| match range {
                [start, end] => Some(CaptureRange { start: *start as u64, end: *end as u64 }),
                _ => None,
            }),
            packets_before: options.packets_before as u64,
            time_before: options.time_before.and_then(|digits| digits.parse().ok()),
            first_capture: options.first_capture,
            fragments: fragments.collect::<Result<_, FlowError>>()?,
            decode: options.decode.try_into()?,
            filter: compile(options.filter.as_deref())?,
        })
    }
}

/// Options of a reader that writes a capture file per flow.
#[napi(object)]
pub struct NativeTraceOptions {
    /// The folder that files are written to; it is there.
    pub folder: String,
    /// What file names end with.
    pub extension: String,
    /// pcapng, not pcap.
    pub pcapng: bool,
    /// Numbers in network byte order.
    pub big_endian: bool,
    /// Times in nanoseconds.
    pub nanosecond: bool,
    /// Both directions are one flow.
    pub bidirectional: bool,
    /// Seconds of packet time.
    pub linger: f64,
    /// Most open flows.
    pub max_flows: u32,
    /// Most open files.
    pub max_open_files: u32,
    /// Octets that may wait for one file.
    pub file_buffer_bytes: f64,
    /// Octets of memory for what waits for all files.
    pub max_buffered_bytes: f64,
    /// Files that are there already may be replaced.
    pub overwrite: bool,
    /// Tell of every frame which flow it went to.
    pub frames: bool,
    /// Which packets to take, in tcpdump's language.
    pub filter: Option<String>,
    /// How packets are decoded.
    pub decode: NativeDecodeOptions,
}

impl TryFrom<NativeTraceOptions> for TraceSessionOptions {
    type Error = FlowError;

    fn try_from(options: NativeTraceOptions) -> Result<Self, FlowError> {
        let NativeTraceOptions { big_endian, nanosecond, .. } = options;
        let container = if options.pcapng { Container::Pcapng } else { Container::Pcap };
        Ok(Self {
            flows: FlowRules {
                bidirectional: options.bidirectional,
                linger_ns: nanoseconds(options.linger),
                max_flows: options.max_flows as usize,
            },
            files: FileSetOptions {
                folder: options.folder.into(),
                extension: options.extension,
                open_files: options.max_open_files as usize,
                file_octets: options.file_buffer_bytes as usize,
                total_octets: options.max_buffered_bytes as usize,
                overwrite: options.overwrite,
            },
            format: CaptureFormat { container, big_endian, nanosecond },
            frames: options.frames,
            decode: options.decode.try_into()?,
            filter: compile(options.filter.as_deref())?,
        })
    }
}

/// Seconds to nanoseconds, saturating.
pub fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}
