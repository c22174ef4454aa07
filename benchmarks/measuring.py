"""Shared by the benchmarks: their options, networks with random weights, rounds in turn, and tables."""

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

SIZE = 65  # characters
PARTS = "SHAKEGEN_BENCHMARK_PARTS"  # an environment variable: the folder in which `run_alone` keeps its results
CALLS = itertools.count()


def make_parser(description):
    """A parser of options whose help has the description as it stands."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def print_head(*cells):
    print_row(*cells)
    print("|" + "---|" * len(cells), flush=True)


def print_row(*cells):
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def run_alone(script, *arguments):
    """The numbers that a script prints behind RESULT, in a process of its own; none if it lacks a package.

    Where `all.py` stopped the same command before, the calls that had ended give their results again.
    """
    kept = Path(os.environ[PARTS], f"{next(CALLS)}.json") if PARTS in os.environ else None
    if kept and kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    command = [sys.executable, script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lacks = re.search(r"^ModuleNotFoundError: No module named '(?!shakegen|measuring)", done.stderr, re.MULTILINE)
    if done.returncode and not lacks:
        sys.exit(done.stderr)
    found = [float(one) for one in done.stdout.partition("RESULT")[2].split()]
    if kept:
        from shakegen.files import write_whole

        write_whole(kept, json.dumps(found).encode())
    return found


def print_result(*numbers):
    """Print numbers for `run_alone`; None for a contender that cannot take part."""
    print("RESULT", *(number for number in numbers if number is not None))


def take_turns(script, contenders, rounds, *arguments):
    """The numbers of `run_alone` for each contender, by name; a script takes it with `--only`. Rounds alternate."""
    found = {name: [] for name in contenders}
    for _ in range(rounds):
        for name in contenders:
            found[name] += run_alone(script, "--only", name, *arguments)
    return found


def peak_memory():
    """The most bytes of memory that this process had by now."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def shakegen(*arguments):
    """The standard output of a command."""
    command = [sys.executable, "-m", "shakegen", *map(str, arguments)]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr)
        raise


def random_weights(config, size=SIZE, *outputs, scale=1.0):
    """Weights by name, small enough for sums of `units` numbers."""
    import numpy as np

    draw, shapes = np.random.default_rng(0).normal, config.weight_shapes(size, *outputs)
    return {name: draw(0, scale * config.units**-0.5, shape).astype("float32") for name, shape in shapes.items()}


def random_model(config):
    """A model of random weights that predicts the next of `SIZE` characters."""
    from shakegen.model import LanguageModel
    from shakegen.text.vocabulary import Vocabulary

    return LanguageModel(config, Vocabulary(map(chr, range(32, 32 + SIZE))), random_weights(config))


def network(units, size=SIZE, bits=2.0, layers=1):
    """An engine with random weights; its next symbol has at most this many bits of entropy after a random text."""
    import numpy as np

    from shakegen.inference import Engine
    from shakegen.network.config import Config

    random, config = np.random.default_rng(0), Config("lstm", units=units, layers=layers, residual=False)
    weights = random_weights(config, size)
    while True:
        engine = Engine(config, weights)
        logits, _ = engine.prime(random.integers(size, size=50), 1)
        p = np.exp(logits[0] - logits.max(), dtype=float)
        p /= p.sum()
        if -(p * np.log2(p + 1e-30)).sum() < bits:
            return engine
        weights["dense/kernel"] *= 1.2


def rate(draw, length, streams=1):
    """Symbols per second of the fastest of three draws of `length` steps."""
    durations = []
    for _ in range(3):
        began = time.perf_counter()
        draw(length)
        durations.append(time.perf_counter() - began)
    return streams * length / min(durations)


def ancestral(engine, streams=1, **options):
    from shakegen import sampling

    def draw(length):
        logits, state = engine.prime([0], streams)
        for _ in sampling.ancestral(engine.step, logits, state, length, **options):
            pass

    return draw
