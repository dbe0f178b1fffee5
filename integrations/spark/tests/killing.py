"""The program, run in the place of one that kills its worker: ``killing.py FOLDER PHASES COMMAND... -- ARGUMENTS...``.

For each phase (``map`` and ``reduce``, with a comma between) the first run in a worker kills it at once, in the midst of
its task. A file of the phase's name in FOLDER keeps all others from doing that.
"""

import os
import signal
import sys
from pathlib import Path


def executor() -> int | None:
    """The Spark worker process above this one."""
    pid = os.getpid()
    while pid > 1:
        if b"CoarseGrainedExecutorBackend" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return None


def main() -> None:
    folder, phases, *words = sys.argv[1:]
    split = words.index("--")
    command, arguments = words[:split], words[split + 1 :]
    phase, worker = arguments[0], executor()
    # The survey is a run of map, too, but no packet travels in it.
    if phase in phases.split(",") and "--survey" not in arguments and worker is not None:
        try:
            os.close(os.open(Path(folder) / phase, os.O_CREAT | os.O_EXCL))
            os.kill(worker, signal.SIGKILL)
        except FileExistsError:
            pass
    os.execvp(command[0], [*command, *arguments])


main()
