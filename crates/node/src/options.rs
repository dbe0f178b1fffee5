//! Options as JavaScript gives them, already checked and filled with defaults there.

use napi_derive::napi;
use tcpskein_core::chain::Chain;
use tcpskein_core::error::FlowError;
use tcpskein_core::flow::FlowTableOptions;
use tcpskein_core::session::{FlowSessionOptions, PacketSessionOptions};

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
        })
    }
}

/// Options of a packet reader.
#[napi(object)]
pub struct NativePacketOptions {
    /// One flow for all packets.
    pub aggregate: bool,
}

impl From<NativePacketOptions> for PacketSessionOptions {
    fn from(options: NativePacketOptions) -> Self {
        Self { aggregate: options.aggregate }
    }
}

/// Seconds to nanoseconds, saturating.
fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}
