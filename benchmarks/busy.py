"""Steps of the numpy engine on an idle computer and beside busy programs: the chosen number of threads, against fixed.

    python benchmarks/busy.py                       # 128 to 1,024 units, 1 to 64 streams, beside 0, 1 and 2 programs
    python benchmarks/busy.py --busy 1 --units 512 --streams 1

A busy program is a loop in a process of its own. For each size the three contenders (one thread, all threads, chosen)
take turns for several rounds. The table shows the median time of a step in microseconds and the ratio of the faster
fixed number to the chosen one: 1 is as fast, 0.9 is the bound.
"""

import functools
import itertools
import statistics
import subprocess
import sys
import time

import numpy as np
from measuring import make_parser, print_head, print_row, random_weights
from threadpoolctl import threadpool_limits

from shakegen.inference import Engine
from shakegen.inference.threads import get_blas
from shakegen.network.config import Config


def make_engine(units: int) -> Engine:
    config = Config("lstm", units=units, layers=1, residual=False)
    return Engine(config, random_weights(config))


def fix_threads(engine: Engine, threads: int, streams: int, parts: int):
    """What `Engine._find_pace` finds, but always with one number of threads."""
    pace = Engine._find_pace(engine, streams, parts)
    if pace:
        pace._home = min(threads, parts) if streams > 1 else threads
        pace._numbers = [pace._home]
        pace._use(pace._home)
    return pace


def time_steps(engine: Engine, streams: int, threads: int, chosen: bool, seconds: float) -> float:
    """Microseconds of a step."""
    with threadpool_limits(threads, user_api="blas"):
        if not chosen:
            engine._find_pace = functools.partial(fix_threads, engine, threads)
        state, ids, steps, began = engine.start(streams), np.zeros(streams, np.intp), 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            for _ in range(5):
                engine.step(ids, state)
            steps += 5
        return (time.perf_counter() - began) / steps * 1e6


def compare(units: int, streams: int, rounds: int, seconds: float) -> list[float]:
    most = get_blas().threads
    contenders = [
        (make_engine(units), threads, chosen) for threads, chosen in ((1, False), (most, False), (most, True))
    ]
    times = [
        [time_steps(engine, streams, threads, chosen, seconds) for engine, threads, chosen in contenders]
        for _ in range(rounds)
    ]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--units", type=int, nargs="+", default=[128, 256, 512, 1024])
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.6, help="of each contender in each round")
    arguments = parser.parse_args()
    print_head("busy", "units", "streams", "one thread", "all threads", "chosen", "ratio")
    for busy in arguments.busy:
        programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
        try:
            for units, streams in itertools.product(arguments.units, arguments.streams):
                one, most, chosen = compare(units, streams, arguments.rounds, arguments.seconds)
                ratio = min(one, most) / chosen
                print_row(busy, units, streams, f"{one:.1f}", f"{most:.1f}", f"{chosen:.1f}", f"{ratio:.2f}")
        finally:
            for program in programs:
                program.kill()


if __name__ == "__main__":
    main()
