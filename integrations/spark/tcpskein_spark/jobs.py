"""``flows`` and ``connections``: survey, map, Spark's shuffle, reduce.

Each packet goes to the partition of its flow's key. There one run of the program follows all flows of the partition,
packets in the order in which one machine would have them; so the records are the same.
"""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from .program import CaptureFailed, Run, TemporaryText, find
from .records import record_schema, to_spark, with_ids
from .splits import Split, files_of, split
from .surveys import survey

#: Rows between map and reduce.
PACKETS = "key long, order_ns long, time_ns long, packet long, capture int, link int, wire_len int, bytes binary"

#: What could not be read in full.
FAILURES = "file string, offset long, code string, reason string"

#: Octets of captures for one partition of the shuffle, unless the caller says how many there are.
PARTITION_BYTES = 64 << 20


def flows(
    spark: SparkSession,
    paths: str | Iterable[str],
    chains: Sequence[str] = ("basic", "tcp"),
    *,
    idle_timeout: float | None = None,
    expiry_timeout: float | None = None,
    **options,
) -> DataFrame | tuple[DataFrame, DataFrame]:
    """One row per flow, with the columns of ``tcpskein flows --chain …``.

    ``paths``: captures, folders or patterns that every worker can read under the same names.

    ``options``: ``filter``, ``decap``, ``ignore_encap``, ``checksum`` as the program has them; ``order``: ``"time"``
    (default) merges captures by time, ``"capture"`` reads them one after another, in the order given;
    ``split_bytes`` (128 MiB): larger captures are read in parts; ``partitions`` of the shuffle; ``command``: the program,
    as a list of words; ``on_error``: ``"fail"`` (default), or ``"skip"``, which gives a second DataFrame with the captures
    that could not be read in full (``file``, ``offset``, ``code``, ``reason``); what was read of them counts.
    """
    words = ["--chain", ",".join(chains)]
    times = [("--idle-timeout", idle_timeout), ("--expiry-timeout", expiry_timeout)]
    timers = [word for name, value in times if value is not None for word in (name, str(value))]
    return _job(spark, paths, words, [*words, *timers], "flow_id", "dns" in chains, **options)


def connections(
    spark: SparkSession,
    paths: str | Iterable[str],
    *,
    hash: str | None = None,  # noqa: A002
    idle_timeout: float | None = None,
    **options,
) -> DataFrame | tuple[DataFrame, DataFrame]:
    """One row per TCP connection, with the columns of ``tcpskein connections``; ``hash="sha256"`` adds digests.

    Payloads travel through the shuffle. ``options``: as those of :func:`flows`.
    """
    words = ["--connections"]
    more = [] if hash is None else ["--hash", hash]
    more += [] if idle_timeout is None else ["--idle-timeout", str(idle_timeout)]
    return _job(spark, paths, words, [*words, *more], "connection_id", True, **options)


def _job(
    spark: SparkSession,
    paths: str | Iterable[str],
    map_words: list[str],
    reduce_words: list[str],
    id_column: str,
    payload: bool,
    *,
    filter: str | None = None,  # noqa: A002
    decap: bool = True,
    ignore_encap: bool = False,
    checksum: str = "ignore",
    order: str = "time",
    split_bytes: int = 128 << 20,
    partitions: int | None = None,
    command: Sequence[str] | None = None,
    on_error: str = "fail",
) -> DataFrame | tuple[DataFrame, DataFrame]:
    if on_error not in ("fail", "skip") or order not in ("time", "capture"):
        raise ValueError("on_error is 'fail' or 'skip', order is 'time' or 'capture'")
    decode = ["--checksum", checksum, *([] if decap else ["--no-decap"]), *(["--ignore-encap"] if ignore_encap else [])]
    map_words = [*map_words, *decode, *([] if filter is None else ["--filter", filter])]
    reduce_words = [*reduce_words, *decode, "--order", order, "--format", "arrow"]
    files = files_of(paths)
    surveyed = survey(spark, split(files, split_bytes), command, map_words, order, on_error == "skip")
    packets = _packets(spark, surveyed.parts, command, map_words, payload, on_error == "skip")
    count = partitions or max(spark.sparkContext.defaultParallelism, len(surveyed.parts) * split_bytes // PARTITION_BYTES)
    by = ["order_ns", "capture", "packet"] if order == "time" else ["capture", "packet"]
    # Packet 0 tells a part's last time, which the survey's clock has, too.
    packets = packets.where(F.col("packet") > 0)
    sorted_packets = packets.repartition(count, F.col("key")).sortWithinPartitions(*by)
    records = _records(spark, sorted_packets, files, surveyed.clock, command, reduce_words, id_column)
    if on_error == "fail":
        return records
    rows = [(failure.file, failure.offset, failure.code, failure.reason) for failure in surveyed.failures]
    return records, spark.createDataFrame(rows, FAILURES)


def _packets(spark: SparkSession, parts: list[Split], command, words: list[str], payload: bool, skip: bool) -> DataFrame:
    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for text in batch.column(0).to_pylist():
                yield from _read_part(Split.from_json(text), command, words, payload, skip)

    rows = spark.sparkContext.parallelize([(part.to_json(),) for part in parts], len(parts))
    return spark.createDataFrame(rows, "part string").mapInArrow(read, PACKETS)


def _read_part(part: Split, command, words: list[str], payload: bool, skip: bool) -> Iterator[pa.RecordBatch]:
    with TemporaryText(part.fragments) as fragments:
        known = ["--fragments", fragments] if part.fragments else []
        run = Run(find(command), ["map", *part.arguments, *known, *words])
        yield from run.batches(part.file if payload else None)
        try:
            run.check(part.file)
        except CaptureFailed:
            # The survey met it, too, and listed it.
            if not skip:
                raise


def _records(
    spark: SparkSession, packets: DataFrame, files: list[str], clock: str, command, words: list[str], id_column: str
) -> DataFrame:
    schema = record_schema(_printed_schema(command, words))
    shared = spark.sparkContext.broadcast((files, clock))

    def follow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        first = next((batch for batch in batches if batch.num_rows > 0), None)
        if first is None:
            return
        names, times = shared.value
        with TemporaryText(times) as clock_file:
            run = Run(find(command), ["reduce", *words, "--clock", clock_file], _chain(first, batches))
            for batch in run.batches():
                yield with_ids(batch, schema, names, id_column)
            run.check("packets of a partition")

    return packets.mapInArrow(follow, to_spark(schema))


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _printed_schema(command, words: list[str]) -> pa.Schema:
    """What the program prints, asked with nothing to read."""
    run = Run(find(command), ["reduce", *words], [])
    with pa.ipc.open_stream(run._process.stdout) as reader:
        schema = reader.schema
    run.check("nothing")
    return schema
