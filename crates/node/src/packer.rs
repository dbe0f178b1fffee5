//! Packets that come as columns, made into a stream that readers take as a capture: one call per batch.

use napi::Error;
use napi::bindgen_prelude::{BigInt64Array, Buffer, Int32Array, Uint8Array};
use napi_derive::napi;
use tcpskein_core::capture::{PacketColumns, RecordWriter};

use crate::error::throw;

/// Makes records out of columns.
#[napi]
pub struct NativePacker(RecordWriter);

/// Columns of packets, of equal length but for `offsets`, which has one more.
#[napi(object, object_to_js = false)]
pub struct NativePacketColumns {
    /// The latest time in its capture up to each packet, nanoseconds since the Unix epoch.
    pub order_ns: BigInt64Array,
    /// Nanoseconds since the Unix epoch.
    pub time_ns: BigInt64Array,
    /// Number in the capture, from 1.
    pub packet: BigInt64Array,
    /// Number of the capture.
    pub capture: Int32Array,
    /// Link-layer header type.
    pub link: Int32Array,
    /// Octets on the wire.
    pub wire_len: Int32Array,
    /// Where each packet's octets begin, and where the last one's end.
    pub offsets: Int32Array,
    /// The packets' octets.
    pub bytes: Uint8Array,
}

#[napi]
impl NativePacker {
    /// A packer; `clock` has times of the whole job's packets, in order. `in_order`: packets must come in order of time.
    #[napi(constructor)]
    pub fn new(clock: BigInt64Array, in_order: bool) -> Self {
        Self(RecordWriter::new(clock.to_vec(), in_order))
    }

    /// The records of a batch.
    #[napi(catch_unwind)]
    pub fn pack(&mut self, columns: NativePacketColumns) -> std::result::Result<Buffer, Error<&'static str>> {
        let NativePacketColumns { order_ns, time_ns, packet, capture, link, wire_len, offsets, bytes } = &columns;
        let columns = PacketColumns { order_ns, time_ns, number: packet, capture, link, wire_len, offsets, bytes };
        self.0.pack(&columns).map(Buffer::from).map_err(|error| throw(&error))
    }

    /// What comes behind the last batch.
    #[napi(catch_unwind)]
    pub fn end(&mut self) -> Buffer {
        self.0.end().into()
    }
}
