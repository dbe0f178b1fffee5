"""The ``tcpskein`` program: found where a task runs, fed and read without a file between.

Arguments come in and Arrow batches; batches come out. What the program complains of becomes an exception.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from typing import Iterable, Iterator, Sequence

import pyarrow as pa

#: Lines of complaints that are kept, of one run.
MAX_COMPLAINTS = 100


class CaptureFailed(Exception):
    """A capture could not be read in full: ``file``, ``code``, ``reason`` and, where there is one, ``offset``."""

    def __init__(self, file: str, code: str, reason: str):
        super().__init__(f"{file}: {reason}" if file not in reason else reason)
        self.file, self.code, self.reason = file, code, reason
        found = re.search(r"offset (\d+): ", reason)
        self.offset = int(found.group(1)) if found else None

    def __reduce__(self):
        return CaptureFailed, (self.file, self.code, self.reason)


def find(command: Sequence[str] | None) -> list[str]:
    """The program as it is called here; ``{files}`` stands for where Spark puts files and archives of the job."""
    if command is None:
        text = os.environ.get("TCPSKEIN_COMMAND")
        command = text.split() if text else [shutil.which("tcpskein") or "tcpskein"]
    return [_with_files(word) for word in command]


def _with_files(word: str) -> str:
    if "{files}" not in word:
        return word
    from pyspark import SparkFiles

    return word.replace("{files}", SparkFiles.getRootDirectory())


class Run:
    """One run of the program: ``batches()`` gives what it prints, ``complaints`` what it complained of."""

    def __init__(self, command: Sequence[str], arguments: Sequence[str], feed: Iterable[pa.RecordBatch] | None = None):
        self._complaints: list[dict] = []
        self._failure: BaseException | None = None
        stdin = subprocess.DEVNULL if feed is None else subprocess.PIPE
        words = [*command, *arguments, "--json", "--quiet"]
        try:
            self._process = subprocess.Popen(words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise RuntimeError(f"tcpskein can't be run as {words[0]} ({error}): install it with npm on each worker") from error
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        if feed is not None:
            self._threads.append(threading.Thread(target=self._feed, args=(feed,), daemon=True))
        for thread in self._threads:
            thread.start()

    def _listen(self) -> None:
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace").strip()
            try:
                found = json.loads(text)
            except ValueError:
                found = {"error": {"message": text}}
            if text and isinstance(found, dict) and "error" in found and len(self._complaints) < MAX_COMPLAINTS:
                self._complaints.append(found["error"])

    def _feed(self, feed: Iterable[pa.RecordBatch]) -> None:
        writer = None
        try:
            with self._process.stdin as stdin:
                for batch in feed:
                    writer = writer or pa.ipc.new_stream(stdin, batch.schema)
                    writer.write_batch(batch)
                if writer is not None:
                    writer.close()
        except BrokenPipeError:
            pass  # The program says itself why it stopped.
        except BaseException as error:  # What Spark throws to end a task counts, too.
            self._failure = error
            self._process.kill()

    def batches(self, whole_frames_of: str | None = None) -> Iterator[pa.RecordBatch]:
        """What it prints: Arrow batches. ``whole_frames_of``: a file whose packets must not be headers only.

        Behind the shuffle nothing would tell them from packets that are whole.
        """
        try:
            with pa.ipc.open_stream(self._process.stdout) as reader:
                if whole_frames_of is not None and (reader.schema.metadata or {}).get(b"payload") != b"true":
                    raise RuntimeError(f"{whole_frames_of}: its packets were mapped without what they carry (--payload)")
                yield from reader
        except pa.ArrowInvalid as error:
            self._finish()
            if not self._complaints:
                raise RuntimeError(f"tcpskein printed no Arrow stream: {error}") from error
        finally:
            self.close()

    def text(self) -> str:
        """What it prints, as text."""
        out = self._process.stdout.read().decode()
        self._finish()
        return out

    def check(self, file: str) -> None:
        """Raises what it complained of."""
        status = self._finish()
        if self._failure is not None:
            raise self._failure
        if self._complaints:
            first = self._complaints[0]
            raise CaptureFailed(file, first.get("code", "ERR_INTERNAL"), first["message"])
        if status != 0:
            raise RuntimeError(f"tcpskein ended with status {status} on {file}")

    def _finish(self) -> int:
        status = self._process.wait()
        for thread in self._threads:
            thread.join()
        return status

    def close(self) -> None:
        """Ends it, if it still runs."""
        if self._process.poll() is None and self._process.stdout.closed is False:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.stdout.close()


class TemporaryText:
    """Text in a file, for as long as a run needs it."""

    def __init__(self, text: str):
        handle, self.path = tempfile.mkstemp(prefix="tcpskein-")
        with os.fdopen(handle, "w") as file:
            file.write(text)

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, *_: object) -> None:
        os.unlink(self.path)
