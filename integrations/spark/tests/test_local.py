"""The package on one machine: records equal those of the program, for captures in parts, broken ones, an elephant.

``python -m unittest discover integrations/spark/tests``; TCPSKEIN_COMMAND says how the program is called, and
TCPSKEIN_SPARK_CAPTURES names a folder with captures to try.
"""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from pyspark.sql import SparkSession

from tcpskein_spark import CaptureFailed, connections, flows, numbered
from tcpskein_spark.program import find
from tcpskein_spark.splits import split
from tcpskein_spark.surveys import thin

CAPTURES = sorted(Path(os.environ["TCPSKEIN_SPARK_CAPTURES"]).glob("*.pcap"))
CHAINS = ["basic", "tcp", "tcpopt", "mss", "icmp"]


def program(*words: str) -> list[dict]:
    """Records of one run of the program."""
    run = subprocess.run([*find(None), *words, "--format", "ndjson", "-q"], capture_output=True, check=False)
    return [json.loads(line) for line in run.stdout.splitlines()]


def plain(record: dict) -> dict:
    """Without what differs by design: serial numbers, and names where there is one capture."""
    kept = {name: value for name, value in record.items() if name not in ("flow_id", "connection_id", "capture")}
    for name in ("gaps_fwd", "gaps_rev"):
        if isinstance(kept.get(name), str):
            kept[name] = json.loads(kept[name])
    # JSON has 5 for 5.0.
    return {name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in kept.items()}


def texts(records) -> list[str]:
    return sorted(json.dumps(plain(record), sort_keys=True) for record in records)


class Local(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.spark = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()
        )
        cls.spark.sparkContext.setLogLevel("OFF")
        cls.folder = Path(tempfile.mkdtemp(prefix="tcpskein-spark-"))

    @classmethod
    def tearDownClass(cls):
        cls.spark.stop()
        shutil.rmtree(cls.folder)

    def rows(self, records) -> list[dict]:
        return [row.asDict() for row in records.collect()]

    def test_flows_of_captures_in_parts(self):
        for capture in CAPTURES:
            size = capture.stat().st_size
            found = flows(self.spark, str(capture), CHAINS, split_bytes=max(size // 3, 1000), partitions=3)
            expected = program("flows", str(capture), "--chain", ",".join(CHAINS))
            self.assertEqual(texts(self.rows(found)), texts(expected), capture.name)

    def test_connections_over_files_with_dense_ids(self):
        capture = max(CAPTURES, key=lambda file: file.stat().st_size)
        files = self.cut(capture, 4)
        found = numbered(connections(self.spark, files, hash="sha256", order="capture", partitions=3))
        rows = sorted(self.rows(found), key=lambda row: row["connection_id"])
        expected = sorted(program("connections", *files, "--hash", "sha256"), key=lambda row: row["connection_id"])
        self.assertEqual([row["connection_id"] for row in rows], list(range(len(expected))))
        self.assertEqual([plain(row) for row in rows], [plain(row) for row in expected])
        self.assertEqual([row["capture"] for row in rows], [row["capture"] for row in expected])

    def cut(self, capture: Path, count: int) -> list[str]:
        """Files with the same packets, each a capture of its own."""
        data, at, limits, files = capture.read_bytes(), 24, [], []
        while at < len(data):
            limits.append(at)
            at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        places = [limits[len(limits) * i // count] for i in range(count)] + [len(data)]
        for i, (start, end) in enumerate(zip(places, places[1:])):
            file = self.folder / f"{capture.stem}-{i}.pcap"
            file.write_bytes(data[:24] + data[start:end])
            files.append(str(file))
        return files

    def test_broken_capture_fails_with_place_and_reason_or_is_listed(self):
        whole, broken, nothing = CAPTURES[0], self.folder / "broken.pcap", self.folder / "nothing.pcap"
        broken.write_bytes(whole.read_bytes()[:-3])
        nothing.write_bytes(b"no capture at all")
        with self.assertRaisesRegex(Exception, r"broken\.pcap: offset \d+: a packet is cut short"):
            flows(self.spark, [str(whole), str(broken)])
        files = [str(whole), str(broken), str(nothing), str(self.folder / "missing.pcap")]
        found, skipped = flows(self.spark, files, order="capture", on_error="skip")
        listed = {os.path.basename(row.file): (row.offset, row.code) for row in skipped.collect()}
        self.assertEqual({name: code for name, (_, code) in listed.items()}, {
            "broken.pcap": "ERR_CAPTURE_TRUNCATED", "nothing.pcap": "ERR_CAPTURE_FORMAT", "missing.pcap": "ERR_CAPTURE_IO",
        })
        self.assertIsNotNone(listed["broken.pcap"][0])
        self.assertEqual(texts(self.rows(found)), texts(program("flows", *files)))

    def test_headers_among_whole_frames_give_no_connections(self):
        capture = max(CAPTURES, key=lambda file: file.stat().st_size)
        files = self.cut(capture, 3)
        baring = str(Path(__file__).parent / "baring.py")
        command = [sys.executable, baring, files[1], *find(None), "--"]
        refused = re.escape(files[1]) + ": its packets were mapped without what they carry"
        with self.assertRaisesRegex(Exception, refused):
            connections(self.spark, files, order="capture", command=command).collect()
        # For other flow records headers are all that there is.
        found = flows(self.spark, files, order="capture", command=command)
        self.assertEqual(texts(self.rows(found)), texts(program("flows", *files, "--chain", "basic,tcp")))

    def test_broken_part_is_told_with_its_place_in_the_file(self):
        capture = max(CAPTURES, key=lambda file: file.stat().st_size)
        broken = self.folder / "broken-part.pcap"
        broken.write_bytes(capture.read_bytes()[:-3])
        with self.assertRaises(CaptureFailed) as caught:
            flows(self.spark, str(broken), split_bytes=1 << 20)
        self.assertGreater(caught.exception.offset, 1 << 20)
        found, skipped = flows(self.spark, str(broken), split_bytes=1 << 20, on_error="skip")
        self.assertEqual([row.offset for row in skipped.collect()], [caught.exception.offset])
        self.assertEqual(texts(self.rows(found)), texts(program("flows", str(broken))))

    def test_parts_and_clock(self):
        self.assertEqual([part.end for part in split([str(CAPTURES[0])], 1 << 40)], [None])
        parts = split([str(CAPTURES[0])], 1000)
        self.assertEqual([part.start for part in parts[1:]], [part.end for part in parts[:-1]])
        minute = 60_000_000_000
        self.assertEqual(thin([5, 1, 3, 90 * minute, 91 * minute]), [1, 5, 90 * minute, 91 * minute])


if __name__ == "__main__":
    unittest.main()
