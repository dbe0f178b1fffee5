"""Separate worker processes (``local-cluster``), workers killed in the midst of their tasks: records equal those of one
machine exactly. Flows go over the limits of files. Each job loses one worker while packets are mapped, and another while
they are followed, when what it had mapped is lost with it.

Run as ``test_local.py`` is; a worker is found in ``/proc``, so elsewhere than on Linux this is skipped.
"""

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

PLACE = Path(__file__).resolve().parent
sys.path.insert(0, str(PLACE.parent))

from measure import JOBS, by_start, cut, row_records, session, shuffled, single  # noqa: E402

from tcpskein_spark.program import find  # noqa: E402

CAPTURES = Path(os.environ["TCPSKEIN_SPARK_CAPTURES"])


def why_not() -> str | None:
    if not Path("/proc/self/stat").exists():
        return "there is no /proc here, in which workers are found"
    return None if shutil.which("java") or os.environ.get("JAVA_HOME") else "there is no Java here"


@unittest.skipIf(why_not() is not None, why_not())
class Cluster(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tcpskein-cluster-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_flows_with_fragments_over_files(self):
        self.compare("flows", CAPTURES / "fragments-over-parts.pcap")

    def test_connections_with_an_elephant_over_files(self):
        self.compare("connections", CAPTURES / "an-elephant.pcap")

    def compare(self, what: str, capture: Path) -> None:
        files = cut(capture, self.folder / "parts", 4)
        expected, _ = single(what, files)
        apart = sum(len(single(what, [file])[0]) for file in files)
        self.assertGreater(apart, len(expected), "flows go over the limits of files")
        found, told = self.clustered(what, files)
        self.assertEqual(sorted(os.listdir(self.folder / "killed")), ["map", "reduce"])
        self.assertGreaterEqual(told["failed_tasks"], 2)
        self.assertEqual(found, expected)

    def clustered(self, what: str, files: list[str]) -> tuple[dict, dict]:
        events, killed = self.folder / "events", self.folder / "killed"
        killed.mkdir()
        command = [sys.executable, str(PLACE / "killing.py"), str(killed), "map,reduce", *find(None), "--"]
        spark = session("local-cluster[2,1,1024]", events)
        try:
            records = JOBS[what](spark, files, order="capture", partitions=4, command=command)
            rows = row_records(records)
        finally:
            spark.stop()
        return by_start(rows), shuffled(events)


if __name__ == "__main__":
    unittest.main()
