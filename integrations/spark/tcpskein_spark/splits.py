"""What tasks read: whole captures, or parts of large ones that lie as they are, pcap or pcapng."""

from __future__ import annotations

import glob
import json
import os
from dataclasses import asdict, dataclass
from typing import Iterable

#: What pcap (both byte orders, three kinds) and pcapng begin with. All else is read whole, as compressed captures are.
PLAIN = {
    bytes.fromhex(magic)
    for magic in ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "34cdb2a1", "a1b2cd34", "0a0d0d0a")
}


@dataclass(frozen=True)
class Split:
    """A part of a capture. ``end`` is None where all is read; numbers are as the survey of all parts found them."""

    capture: int
    file: str
    start: int = 0
    end: int | None = None
    packets_before: int = 0
    time_before: int | None = None
    #: NDJSON: the flows of fragments that can't be found out in this part.
    fragments: str = ""

    @property
    def arguments(self) -> list[str]:
        """The program's arguments for this part."""
        words = [self.file, "--capture", str(self.capture), "--packets-before", str(self.packets_before)]
        if self.end is not None:
            words += ["--range", f"{self.start}-{self.end}"]
        # An equals sign: the number may be negative.
        return words if self.time_before is None else [*words, f"--time-before={self.time_before}"]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Split:
        return Split(**json.loads(text))


def files_of(paths: str | Iterable[str]) -> list[str]:
    """Captures in order: paths as they are, folders and patterns as their files in order of name."""
    found: list[str] = []
    for path in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
        path = os.fspath(path)
        if os.path.isdir(path):
            found += sorted(entry.path for entry in os.scandir(path) if entry.is_file())
        elif glob.has_magic(path) and not os.path.exists(path):
            found += sorted(glob.glob(path))
        else:
            found.append(path)
    if not found:
        raise ValueError(f"there is no capture in {paths!r}")
    return [os.path.abspath(path) for path in found]


def split(files: list[str], split_bytes: int) -> list[Split]:
    """Parts of at most about ``split_bytes`` octets, in order."""
    parts: list[Split] = []
    for capture, file in enumerate(files):
        size = _plain_size(file)
        if size <= split_bytes:
            parts.append(Split(capture, file))
            continue
        count = -(-size // split_bytes)
        limits = [size * i // count for i in range(count)] + [2**53 - 1]
        parts += [Split(capture, file, start, end) for start, end in zip(limits, limits[1:])]
    return parts


def _plain_size(file: str) -> int:
    """Octets of a capture that can be read in parts, else 0. What can't be read is for its own task to report."""
    try:
        with open(file, "rb") as capture:
            return os.fstat(capture.fileno()).st_size if capture.read(4) in PLAIN else 0
    except OSError:
        return 0
