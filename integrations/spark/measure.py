"""Compares and measures on this machine: one program against Spark with worker processes of its own.

``python measure.py CAPTURE --work FOLDER`` cuts a pcap capture into files, makes the records of all of them with one
program, then with Spark on ``local-cluster``: with two workers, again with one worker killed on the way, and with one.
It prints whether all records are equal, times, octets that went through the shuffle, and the processor time of all
processes of the job, which other programs on the machine change little.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import struct
import subprocess
import threading
import time
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from tcpskein_spark import connections, flows
from tcpskein_spark.program import find

JOBS = {"flows": flows, "connections": connections}


def cut(capture: Path, folder: Path, count: int) -> list[str]:
    """Files with equally many octets, each a capture of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    data = capture.read_bytes()
    order = "<" if data[:4] in (bytes.fromhex("d4c3b2a1"), bytes.fromhex("4d3cb2a1")) else ">"
    limits = [24 + (len(data) - 24) * (i + 1) // count for i in range(count)]
    files, start, at = [], 24, 24
    for index, limit in enumerate(limits):
        while at < limit:
            at += 16 + struct.unpack_from(order + "I", data, at + 8)[0]
        file = folder / f"part-{index:02}.pcap"
        file.write_bytes(data[:24] + data[start:at])
        files.append(str(file))
        start = at
    return files


def single(what: str, files: list[str]) -> tuple[dict, float]:
    """Records of one program, by capture and first packet; and the seconds it took."""
    begin = time.perf_counter()
    out = subprocess.run([*find(None), what, *files, "--format", "ndjson", "-q"], check=True, capture_output=True).stdout
    seconds = time.perf_counter() - begin
    return by_start(json.loads(line) for line in out.splitlines()), seconds


def by_start(records) -> dict:
    """Records without their serial numbers, which are others on a cluster."""
    found: dict = {}
    for record in records:
        record.pop("flow_id", None)
        record.pop("connection_id", None)
        key = (record.get("capture"), record["first_packet"])
        assert key not in found, f"two records begin with packet {key}"
        found[key] = record
    return found


def session(master: str, events: Path) -> SparkSession:
    events.mkdir(parents=True, exist_ok=True)
    spark = (
        SparkSession.builder.master(master)
        .appName("tcpskein measure")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", events.as_uri())
        .config("spark.eventLog.rolling.enabled", "false")
        .config("spark.eventLog.compress", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 2000)
        # A machine that is busy with something else is no worker that died.
        .config("spark.worker.timeout", "600")
        .config("spark.network.timeout", "600s")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    return spark


def clustered(what: str, files: list[str], workers: int, work: Path, kill_after: float | None) -> tuple[dict, dict]:
    """The same by Spark, each worker a process with one core; ``kill_after`` seconds one of them is killed."""
    events = work / f"events-{what}-{workers}-{kill_after is not None}-{time.time_ns()}"
    spark = session(f"local-cluster[{workers},1,1024]", events)
    spark.range(8).repartition(8).foreach(lambda _: None)  # The workers are there.
    killed: list[int] = []
    if kill_after is not None:
        threading.Timer(kill_after, lambda: killed.extend(kill_one())).start()
    begin, used = time.perf_counter(), processor_seconds()
    with Frozen() as frozen:
        records = JOBS[what](spark, files, order="capture", partitions=16)
        rows = row_records(records)
    seconds = time.perf_counter() - begin - frozen.seconds
    used = processor_seconds() - used
    spark.stop()
    told = {"seconds": seconds, "stopped": frozen.seconds, "processor": used, "killed": killed}
    return by_start(rows), {**told, **shuffled(events)}


def row_records(records: DataFrame) -> list[dict]:
    """Records of Spark as the program prints them: gaps are lists there, not text."""
    rows = [row.asDict() for row in records.collect()]
    for row in rows:
        row.update({name: json.loads(row[name]) for name in ("gaps_fwd", "gaps_rev") if name in row})
    return rows


def processor_seconds() -> float:
    """Processor time of this process, of all below it, and of those that they waited for. A killed worker's is lost."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpid() in ancestors(int(entry.name)):
                ticks += sum(map(int, (entry / "stat").read_text().rsplit(")", 1)[1].split()[11:15]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


class Frozen:
    """Counts seconds in which this process was stopped, as happens where a machine is shared: no time of the job's."""

    def __init__(self) -> None:
        self.seconds, self._done = 0.0, threading.Event()

    def __enter__(self) -> Frozen:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _watch(self) -> None:
        last = time.perf_counter()
        while not self._done.wait(0.2):
            now = time.perf_counter()
            self.seconds += now - last if now - last > 2 else 0
            last = now


def kill_one() -> list[int]:
    """Kills one executor: a process below this one, never another's."""
    for entry in sorted(Path("/proc").iterdir()):
        try:
            mine = entry.name.isdigit() and os.getpid() in ancestors(int(entry.name))
            if mine and b"CoarseGrainedExecutorBackend" in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
                return [int(entry.name)]
        except OSError:
            continue
    return []


def ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        found.append(pid)
    return found


def shuffled(events: Path) -> dict:
    """What tasks wrote for others, how many tasks failed, and the seconds of tasks by stage, in order."""
    octets, failed, spilled = 0, 0, 0
    stages: dict[int, float] = {}
    for log in events.iterdir():
        for line in log.read_text().splitlines():
            event = json.loads(line)
            if event["Event"] != "SparkListenerTaskEnd":
                continue
            failed += event["Task End Reason"]["Reason"] != "Success"
            metrics = event.get("Task Metrics") or {}
            octets += metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0)
            spilled += metrics.get("Disk Bytes Spilled", 0)
            stage = event["Stage ID"]
            stages[stage] = stages.get(stage, 0) + metrics.get("Executor Run Time", 0) / 1000
    # The first stage waits until the workers are there; two belong to it.
    seconds = [round(stages[stage], 1) for stage in sorted(stages)]
    return {"shuffled": octets, "failed_tasks": failed, "spilled": spilled, "stages": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("capture", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="a folder for files and logs")
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--what", choices=JOBS, nargs="+", default=list(JOBS))
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--kill-after", type=float, default=20, help="seconds; 0: no worker is killed")
    parser.add_argument("--times", type=int, default=1, help="do all of it so often")
    options = parser.parse_args()
    work = options.work.resolve()  # Logs are named by URL.
    files = cut(options.capture, work / "parts", options.files)
    octets = sum(os.path.getsize(file) for file in files)
    runs = [(workers, None) for workers in options.workers]
    if options.kill_after > 0:
        runs.insert(1, (2, options.kill_after))
    for what in options.what:
        expected, seconds = single(what, files)
        print(f"{what}: one program: {len(expected)} records in {seconds:.1f} s, {octets} octets", flush=True)
        for workers, kill_after in runs * options.times:
            found, told = clustered(what, files, workers, work, kill_after)
            label = f"{workers} workers" if kill_after is None else f"{workers} workers, one killed {told['killed']}"
            print(f"{what}: {label}: {verdict(expected, found)}; {described(told, octets)}", flush=True)


def verdict(expected: dict, found: dict) -> str:
    unequal = [key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]
    return f"{len(found)} records, " + ("all equal" if not unequal else f"{len(unequal)} UNEQUAL, such as {unequal[:3]}")


def described(told: dict, octets: int) -> str:
    return (
        f"{told['seconds']:.1f} s (without {told['stopped']:.1f} s in which it was stopped), "
        f"{told['processor']:.1f} s of processors, stages {told['stages']}, "
        f"{told['shuffled']} octets shuffled ({told['shuffled'] / octets:.3f} per octet), {told['spilled']} spilled, "
        f"{told['failed_tasks']} tasks failed"
    )


if __name__ == "__main__":
    main()
