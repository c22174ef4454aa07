"""The runs of a comparison, one after the other, each in a process of its own. Only Python."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import filelock

import shakegen
from shakegen.cells.registry import VARIABLE, environment_for, find_cell
from shakegen.compare.record import Record, explain_difference
from shakegen.files import ensure_writable, number_names
from shakegen.training.signals import Interrupted, call_on_signals

log = logging.getLogger(__name__)
PAUSE = 0.1  # seconds between looks at a process

# A run is in a process group of its own, for Ctrl-C in a terminal reaches all of a group, and then would come twice.
# Windows ends a process at once, unless the signal is one for its group.
OWN_GROUP: dict = {"process_group": 0}
END = signal.SIGTERM
if sys.platform == "win32":
    OWN_GROUP, END = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}, signal.CTRL_BREAK_EVENT


def carry_out(
    records: Sequence[Record],
    folder: Path,
    show: Callable[[int, Record, int], None] | None = None,
    before: int = 0,
    later: int = 0,
) -> list[Record]:
    """Carry out the runs that have not ended in the folder.

    Args:
        records: the records of the runs.
        folder: the folder of model files and records.
        show: called with the number of each run, from 0, its record, and the number of runs that are left after it,
            before it starts and when it has ended; None shows nothing, of the training either.
        before, later: how many runs of the comparison come before these, and after them.

    Returns:
        The records of all runs, ended or failed.

    Raises:
        Interrupted: by Ctrl-C or SIGTERM; the run at hand has written where it stands.
        ValueError: the folder has other runs of these names, or another comparison is at work there.
        OSError: the folder cannot be written to.
    """
    ensure_writable(folder / "lock", "`runs`")
    with lock_folder(folder):
        wanted, records = records, [read_known(record, folder) for record in records]
        if any(known.has_ended and known.sample != record.sample for known, record in zip(records, wanted)):
            log.info("Runs that have ended keep the samples that they wrote: to have others, name another folder.")
        for number, known in enumerate(records):
            if known.has_ended:
                continue
            record = replace(known, state="running", reason="")
            left = later + sum(not one.has_ended for one in records[number + 1 :])
            record.write(folder)
            if show:
                show(before + number, record, left)
            records[number] = run_worker(record, folder, quiet=show is None)
            if show:
                show(before + number, records[number], left)
    return records


def find_folder(records: Sequence[Record], stem: str) -> Path:
    """The first folder `models/STEM`, `models/STEM-2` and so on where these runs may be: none there differs from them.

    Raises:
        ValueError: a file there is called like a run, but is none.
    """
    return next(
        folder
        for folder in (Path("models") / name for name in number_names(stem))
        if not any(is_other(record, folder) for record in records)
    )


def is_other(record: Record, folder: Path) -> bool:
    """Whether a folder has another run of the name of this one."""
    return record.path(folder).exists() and Record.read(record.path(folder)).what != record.what


def lock_folder(folder: Path) -> contextlib.AbstractContextManager:
    """Keep other comparisons from working in a folder, until the context ends."""
    try:
        return filelock.FileLock(folder / "lock").acquire(timeout=0)
    except filelock.Timeout:
        raise ValueError(
            f"another comparison is at work in {folder}: wait for it, or name another folder with `runs`"
        ) from None


def read_known(record: Record, folder: Path) -> Record:
    """The record of a run in the folder, or the run as it is."""
    path = record.path(folder)
    if not path.exists():
        if record.model(folder).exists():
            raise ValueError(
                f"{record.model(folder)} is there already, but is no run of a comparison: name another folder with "
                "`runs`, or remove it"
            )
        return record
    known = Record.read(path)
    if known.what != record.what:
        raise ValueError(explain_difference(path, known.what, record.what))
    return replace(known, text=record.text, sample=known.sample if known.has_ended else record.sample)


def run_worker(record: Record, folder: Path, quiet: bool) -> Record:
    """Carry out one run in a process; its record then."""
    command = [sys.executable, "-P", "-m", "shakegen.compare.worker", str(folder), record.name, *["--quiet"] * quiet]
    # The very package that this process runs, wherever that came from; -P keeps the working folder out.
    paths = [str(Path(shakegen.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment[VARIABLE] = environment_for([find_cell(record.what["config"]["cell"])])
    came: list[int] = []
    with call_on_signals(came.append):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, **OWN_GROUP)
        code = wait_for(process, came)
    if came:
        raise Interrupted(None, came[0])
    if code == 0:
        return Record.read(record.path(folder))
    reason = f"its process ended with exit code {code}"
    if code < 0:
        reason = f"its process was ended by signal {-code} ({signal.Signals(-code).name})"
        reason += ", perhaps for want of memory" * (-code == signal.SIGKILL)
    failed = record.fail(folder, reason)
    failed.write(folder)
    return failed


def wait_for(process: subprocess.Popen, came: list[int]) -> int:
    """The exit code of a process, which is asked to end once a signal has come."""
    asked = False
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(PAUSE)
            if came and not asked:
                process.send_signal(END)
                asked = True
    except BaseException:
        process.terminate()
        process.wait()
        raise
