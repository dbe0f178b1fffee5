"""Serial numbers without holes, as one machine gives them."""

from __future__ import annotations

from itertools import accumulate

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def numbered(records: DataFrame, by: tuple[str, ...] = ()) -> DataFrame:
    """Records of ``flows`` or ``connections`` with serial numbers from 0 in their id column.

    ``by``: the order of their beginnings; by default the id as it is, capture by capture. For captures that were merged by
    time: ``("first_ns", "capture", "first_packet")``. The records are computed once, and kept on the workers' disks.
    """
    id_column = records.columns[0]
    order = [F.col(name) for name in by or (id_column,)]
    place = F.col("_place").bitwiseAND(F.lit((1 << 33) - 1))
    kept = (
        records.repartitionByRange(records.rdd.getNumPartitions(), *order)
        .sortWithinPartitions(*order)
        .withColumns({"_part": F.spark_partition_id(), "_place": F.monotonically_increasing_id()})
        .persist(StorageLevel.DISK_ONLY)
    )
    counts = {row["_part"]: row["count"] for row in kept.groupBy("_part").count().collect()}
    parts = sorted(counts)
    before = [0, *accumulate(counts[part] for part in parts)]
    starts = F.create_map(*(F.lit(int(x)) for pair in zip(parts, before) for x in pair)) if parts else F.create_map()
    number = (F.element_at(starts, F.col("_part")).cast("long") + place).alias(id_column) if parts else F.lit(None)
    return kept.select(number, *(name for name in records.columns if name != id_column))
