"""Records of captures to Parquet: ``spark-submit submit.py flows OUTPUT CAPTURE...``; --help shows more.

The same script runs on a laptop (``--master 'local[*]'``) and on a cluster.
"""

from __future__ import annotations

import argparse
import sys

from pyspark.sql import SparkSession

from tcpskein_spark import connections, flows


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="submit.py", description="Flow or connection records of captures to Parquet.")
    parser.add_argument("what", choices=["flows", "connections"])
    parser.add_argument("output", help="a folder that isn't there yet")
    parser.add_argument("captures", nargs="+", help="captures, folders or patterns that every worker can read")
    parser.add_argument("--chain", default="basic,tcp", help="chains of flow records (default: basic,tcp)")
    parser.add_argument("--order", choices=["time", "capture"], default="time")
    parser.add_argument("--filter", help="packets to take, in tcpdump's language")
    parser.add_argument("--partitions", type=int, help="partitions of the shuffle")
    parser.add_argument("--split-bytes", type=int, default=128 << 20)
    parser.add_argument("--skipped", help="write captures that can't be read in full to this folder, and go on")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    options = parse(arguments)
    spark = SparkSession.builder.appName(f"tcpskein {options.what}").getOrCreate()
    # Whole frames in a batch: fewer rows, so that a batch stays small.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 2000 if options.what == "connections" else 10000)
    common = {
        "order": options.order,
        "filter": options.filter,
        "partitions": options.partitions,
        "split_bytes": options.split_bytes,
        "on_error": "skip" if options.skipped else "fail",
    }
    if options.what == "flows":
        found = flows(spark, options.captures, options.chain.split(","), **common)
    else:
        found = connections(spark, options.captures, **common)
    if options.skipped:
        found, skipped = found
        skipped.coalesce(1).write.json(options.skipped)
    found.write.parquet(options.output)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
