"""A run that is killed again and again, at random moments, and resumed: `python tests/kills.py KILLS RANDOM_STATE`."""

import contextlib
import importlib
import io
import itertools
import math
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from shakegen.cli import main
from shakegen.model import load
from shakegen.network.quiet import quiet_tensorflow

with quiet_tensorflow():
    importlib.import_module("shakegen.training.start")

TIMES = ("seconds", "characters_per_second")
TEXT = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n" * 30
NETWORK = ("--cell", "rnn", "--units", "4", "--layers", "1", "--dropout", "0.2")
OPTIONS = (*NETWORK, "--seq-length", "20", "--batch-size", "4", "--schedule", "constant")


def assert_same_run(one, other) -> None:
    """That two runs came to the same place, bit for bit: weights, history, and all that training goes on from."""
    timeless = [
        [{name: value for name, value in entry.items() if name not in TIMES} for entry in run.history]
        for run in (one, other)
    ]
    assert timeless[0] == timeless[1]
    for arrays, same in ((one.weights, other.weights), (one.training.arrays, other.training.arrays)):
        assert arrays.keys() == same.keys()
        assert all(np.array_equal(arrays[name], same[name]) for name in arrays)
    positions = [run.training.state["position"] for run in (one, other)]
    assert all(positions[0][name] == positions[1][name] for name in ("step", "reports", "loss", "losses"))


def start(*arguments) -> int:
    """The id of a process that trains: a fork of this one, which has TensorFlow in its memory but has not used it."""
    child = os.fork()
    if child == 0:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # the path of the file
                main(["train", "poem.txt", "--quiet", *map(str, arguments)])
        except SystemExit as end:
            os._exit(end.code or 0)
    return child


def kill_and_resume(kills: int, random_state: int) -> list[int]:
    """Kill a run so many times, finish it, and compare it with one that was not killed; the batches at each kill.

    One kill in five comes while the process starts, the others after its first checkpoint; it writes one each batch.
    """
    moments, out, batches, last = random.Random(random_state), Path("killed.h5"), [], 1
    Path("poem.txt").write_text(TEXT, encoding="utf-8")
    for number in range(kills):
        begin = ("--resume",) if out.exists() else (*OPTIONS, "--epochs", 10**6)
        before = out.stat().st_mtime_ns if out.exists() else 0
        child = start(*begin, "--out", out, "--checkpoint-every", "1e-9")
        while number % 5 < 4 and (out.stat().st_mtime_ns if out.exists() else 0) == before:
            assert os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None, "the run ended by itself"
            time.sleep(0.001)
        time.sleep(moments.random())
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        model = load(out, with_training=True)
        batches.append(model.training.state["position"]["step"])
        last = math.floor(model.history[-1]["epoch"] if model.history else 0) + 1
    for arguments in (("--resume", "--out", out), (*OPTIONS, "--out", "unbroken.h5")):
        assert os.waitpid(start(*arguments, "--epochs", last), 0)[1] == 0
    assert_same_run(*(load(path, with_training=True) for path in (out, "unbroken.h5")))
    return batches


if __name__ == "__main__":
    kills, random_state = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        batches = kill_and_resume(kills, random_state)
        left = list(Path().glob(".*"))
    assert not left, "a run removes what killed ones have left"
    moved = sum(before < after for before, after in itertools.pairwise([0, *batches]))
    print(f"{kills} kills, all resumed exactly: {batches[-1]} batches, {moved} kills after some")
