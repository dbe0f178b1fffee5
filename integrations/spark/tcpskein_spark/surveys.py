"""What parts of a job must know of each other, found out before packets travel.

Every part is read once for it, in a task of its own: how many packets it has, when, which fragments wait for others,
and whether it can be read at all. Out come the parts with numbers that go on through a capture, and the job's clock.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from typing import Sequence

import pyarrow as pa
from pyspark.sql import SparkSession

from .program import CaptureFailed, Run, find
from .splits import Split

#: A pause as long as this is kept by the clock, in nanoseconds: see the core's ``ClockTrack``.
STEP_NS = 600_000_000_000

#: Packets of a stream of fragments: the columns that ``tcpskein map --arrow`` reads.
LOOSE = pa.schema(
    [("key", pa.int64()), ("order_ns", pa.int64()), ("time_ns", pa.int64()), ("packet", pa.int64())]
    + [("capture", pa.int32()), ("link", pa.int32()), ("wire_len", pa.int32()), ("bytes", pa.binary())]
)


@dataclass(frozen=True)
class Surveyed:
    """The parts that are read, the job's clock (nanoseconds, one a line), and what could not be read in full."""

    parts: list[Split]
    clock: str
    failures: list[CaptureFailed]


def survey(spark: SparkSession, parts: list[Split], command, arguments: Sequence[str], order: str, skip: bool) -> Surveyed:
    """Surveys all parts. Where ``skip`` is False a broken capture fails the task that reads it."""

    def one(part: Split) -> dict:
        return _survey_one(part, command, arguments, skip)

    def survey_all(wanted: list[Split]) -> list[tuple[Split, dict]]:
        answers = spark.sparkContext.parallelize(wanted, len(wanted)).map(one).collect()
        return list(zip(wanted, answers))

    found = survey_all(parts)
    whole = {part.capture for part, answer in found if answer["whole"]}
    if whole:
        # It describes interfaces behind its head, or its records are odd: only from its start it is read rightly.
        kept = [pair for pair in found if pair[0].capture not in whole]
        again = [Split(part.capture, part.file) for part, _ in found if part.capture in whole and part.start == 0]
        found = sorted([*kept, *survey_all(again)], key=lambda pair: (pair[0].capture, pair[0].start))
    broken = [answer["failure"] for _, answer in found if answer["failure"] is not None]
    if broken and not skip:
        raise broken[0]
    return _put_together(found, command, arguments, order)


def _survey_one(part: Split, command, arguments: Sequence[str], skip: bool) -> dict:
    run = Run(find(command), ["map", "--survey", *part.arguments, *arguments])
    text = run.text()
    try:
        run.check(part.file)
    except CaptureFailed as failure:
        in_part = part.end is not None
        # What a part says counts only once no other part wants the capture whole.
        if not (skip or in_part):
            raise
        whole = in_part and failure.code == "ERR_INVALID_OPTION" and "option range" in failure.reason
        answer = json.loads(text or '{"packets":0,"clock_ns":[],"fragments":[]}')
        return {**answer, "whole": whole, "failure": failure}
    return {**json.loads(text), "whole": False, "failure": None}


def _put_together(pairs: list[tuple[Split, dict]], command, arguments: Sequence[str], order: str) -> Surveyed:
    parts: list[Split] = []
    times: list[int] = []
    loose: list[dict] = []
    failures: list[CaptureFailed] = []
    latest: int | None = None
    for _, group in groupby(pairs, key=lambda pair: pair[0].capture):
        before = 0
        # Captures that are read one after another share their clock; others begin with their own.
        latest = latest if order == "capture" else None
        for part, answer in group:
            parts.append(replace(part, packets_before=before, time_before=latest))
            loose += [{**each, "packet": each["packet"] + before, "part": len(parts) - 1} for each in answer["fragments"]]
            clock = [int(time) for time in answer["clock_ns"]]
            times += clock
            latest = max([*clock, *([] if latest is None else [latest])], default=None)
            before += answer["packets"]
            if answer["failure"] is not None:
                # Behind the place where a capture is broken nothing is read.
                failures.append(answer["failure"])
                break
    flows = _flows_of(loose, command, arguments, order)
    parts = [replace(part, fragments=flows.get(index, "")) for index, part in enumerate(parts)]
    return Surveyed(parts, "\n".join(map(str, thin(times))), failures)


def _flows_of(loose: list[dict], command, arguments: Sequence[str], order: str) -> dict[int, str]:
    """The flows of fragments whose datagram is whole only where all parts come together: NDJSON by part."""
    if not loose:
        return {}
    by_place = lambda each: (each["capture"], each["packet"])  # noqa: E731
    by_time = lambda each: (int(each["time_ns"]), *by_place(each))  # noqa: E731
    loose = sorted(loose, key=by_place if order == "capture" else by_time)
    times = [int(each["time_ns"]) for each in loose]
    columns = [[0] * len(loose), list(accumulate(times, max)), times]
    columns += [[each[name] for each in loose] for name in ("packet", "capture", "link", "wire_len")]
    columns.append([base64.b64decode(each["bytes"]) for each in loose])
    arrays = [pa.array(column, field.type) for column, field in zip(columns, LOOSE)]
    run = Run(find(command), ["map", "-", "--arrow", *arguments], [pa.record_batch(arrays, schema=LOOSE)])
    keys = {}
    for batch in run.batches():
        captures, packets, found = (batch.column(name).to_pylist() for name in ("capture", "packet", "key"))
        keys.update(zip(zip(captures, packets), found))
    run.check("fragments")
    lines: dict[int, str] = {}
    for each in loose:
        key = keys.get(by_place(each))
        if key is not None:
            line = json.dumps({"capture": each["capture"], "packet": each["packet"], "key": str(key)})
            lines[each["part"]] = lines.get(each["part"], "") + line + "\n"
    return lines


def thin(times: list[int]) -> list[int]:
    """Some of the times, in order: the first, the last, both sides of long pauses, and some between."""
    kept: list[int] = []
    pending: int | None = None
    for time in sorted(set(times)):
        last = pending if pending is not None else (kept[-1] if kept else None)
        if last is None or time - last > STEP_NS:
            if pending is not None:
                kept.append(pending)
            kept.append(time)
            pending = None
        elif time - kept[-1] > STEP_NS:
            kept.append(time)
            pending = None
        else:
            pending = time
    return kept if pending is None else [*kept, pending]
