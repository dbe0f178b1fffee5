"""Records as the program prints them (Arrow), as rows of Spark: types that Spark has, ids that are the same everywhere."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

#: Bits of an id below the number of the capture: packets of a capture that can be told apart.
PACKET_BITS = 40

#: Spark has no unsigned numbers, and its times have no nanoseconds.
SIGNED = {pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint32(): pa.int64(), pa.uint64(): pa.int64()}


def record_schema(printed: pa.Schema) -> pa.Schema:
    """The same columns with types that Spark has; times are nanoseconds since the Unix epoch."""
    return pa.schema([pa.field(field.name, _type(field.type)) for field in printed])


def _type(printed: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_timestamp(printed) else SIGNED.get(printed, printed)


def to_spark(schema: pa.Schema) -> StructType:
    return from_arrow_schema(schema)


def with_ids(batch: pa.RecordBatch, schema: pa.Schema, names: list[str], id_column: str) -> pa.RecordBatch:
    """The batch with names for captures' numbers, and with an id that no other record has: capture and first packet."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    captures = pc.cast(columns["capture"], pa.int64())
    columns["capture"] = pc.take(pa.array(names, pa.string()), captures)
    first = pc.cast(columns["first_packet"], pa.int64())
    columns[id_column] = pc.add(pc.shift_left(captures, PACKET_BITS), first)
    return pa.record_batch([columns[field.name].cast(field.type) for field in schema], schema=schema)
