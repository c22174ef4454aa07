"""Every cell on one text, for as many minutes and with as many weights: its loss beside that of the default GRU.

    python benchmarks/cells.py tinyshakespeare --minutes 3 --states 1 2 3 --rates 0.003 0.006 0.012
    python benchmarks/cells.py tinyshakespeare --table

Each run is `shakegen train` in a process of its own, on one core; as many run at a time as there are cores. The first
random state tries every learning rate. The best one on the validation text serves the other random states. The test
text, a tenth, chooses nothing. Each run is a line of a file, and is not run again. The table shows means over the
random states, and the mean of the paired differences to the first cell with its 95 % interval.
"""

import argparse
import json
import math
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from shakegen.cells import BUILT_IN
from shakegen.cells.registry import DEFAULT, parse_cell
from shakegen.compare.matching import count_weights, nearest
from shakegen.intervals import t_interval
from shakegen.network.config import Config
from shakegen.text.catalog import load_corpus
from shakegen.training.recipe import Recipe

SPLIT = "0.8,0.1,0.1"
NETWORK = {"embedding": int, "convolution": int, "mlp": int}  # settings that a cell may have here, as in `compare`
COLUMNS = ("cell", "units", "weights", "rate", "rates tried", "states", "epochs", "characters/s", "test nats/char",
           "difference to the first")  # fmt: skip


def cell_config(text: str, **settings) -> Config:
    kind, options = parse_cell(text, NETWORK)
    return Config(kind.name, **settings, **options)


def train(corpus: str, cell: str, units: int, minutes: float, rate: float, state: int, core: int) -> dict:
    """One run on one core: its losses and its speed."""
    os.sched_setaffinity(0, {core})  # of this thread, and so of the processes that it starts
    name, *settings = cell.split(":")
    network = [f"--{one}" for one in settings if one.partition("=")[0] in NETWORK]
    name = ":".join([name, *(one for one in settings if f"--{one}" not in network)])
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.h5"
        shakegen(
            *("train", corpus, "--split", SPLIT, "--cell", name, "--units", units, *network, "--minutes", minutes),
            *("--learning-rate", rate, "--random-state", state, "--quiet", "--out", model),
        )
        about = json.loads(shakegen("info", model, "--json"))
        nats = {
            part: json.loads(shakegen("evaluate", model, corpus, "--split", part, "--json"))["nats_per_character"]
            for part in ("validation", "test")
        }
    read = about["epochs"] * about["corpus"]["length"] * about["corpus"]["split"][0]
    return {
        **{"corpus": corpus, "cell": cell, "units": units, "weights": about["parameters"], "minutes": minutes},
        **{"rate": rate, "state": state, **nats, "epochs": about["epochs"], "speed": read / (60 * about["minutes"])},
    }


def shakegen(*arguments) -> str:
    command = [sys.executable, "-m", "shakegen", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run_all(todo: list[dict], results: Path) -> None:
    """Do the runs that the file does not have, one on each core at a time."""
    done = {key_of(one) for one in read_results(results)}
    waiting: queue.Queue = queue.Queue()
    for one in todo:
        if key_of(one) not in done:
            waiting.put(one)

    def work(core):
        while True:
            try:
                run = waiting.get_nowait()
            except queue.Empty:
                return
            found = train(**run, core=core)
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
            print(json.dumps(found), file=sys.stderr, flush=True)

    workers = [threading.Thread(target=work, args=(core,)) for core in sorted(os.sched_getaffinity(0))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def key_of(run: dict) -> tuple:
    return tuple(run[name] for name in ("corpus", "cell", "units", "minutes", "rate", "state"))


def plan_run(fixed: dict, units: dict, cell: str, rate: float, state: int) -> dict:
    return {**fixed, "cell": cell, "units": units[cell], "rate": rate, "state": state}


def match_units(corpus: str, cells: list[str]) -> dict[str, int]:
    """The units with which each cell's network has about as many weights as the default network."""
    size = len(load_corpus(corpus).vocabulary)

    def count(config):
        return count_weights(config, size)

    def network(cell):
        return lambda units: cell_config(cell, units=units)

    weights = count(Config())
    return {cell: nearest(network(cell), weights, count).units for cell in cells}


def read_results(results: Path, **fixed) -> list[dict]:
    """The runs of a file that have some settings."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return [one for one in map(json.loads, lines) if fixed.items() <= one.items()]


def best_rate(runs: list[dict], state: int) -> float:
    """The learning rate with the least loss on the validation text, of the runs of one cell with one random state."""
    return min((one for one in runs if one["state"] == state), key=lambda one: one["validation"])["rate"]


def table(runs: list[dict], cells: list[str], state: int) -> str:
    rows, first = [], {}
    for cell in cells:
        own = [one for one in runs if one["cell"] == cell]
        if not own:
            continue
        rate = best_rate(own, state)
        tried = ", ".join(f"{one:g}" for one in sorted({one["rate"] for one in own}))
        chosen = {one["state"]: one for one in own if one["rate"] == rate}
        first = first or chosen
        nats = [one["test"] for one in chosen.values()]
        pairs = [chosen[one]["test"] - first[one]["test"] for one in chosen if one in first]
        epochs, speed = (statistics.mean(one[name] for one in chosen.values()) for name in ("epochs", "speed"))
        figures = (f"{epochs:.1f}", f"{speed:,.0f}", f"{statistics.mean(nats):.4f}", interval(pairs))
        rows.append((cell, own[0]["units"], f"{own[0]['weights']:,}", f"{rate:g}", tried, len(chosen), *figures))
    header = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
    return "\n".join([header, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def interval(pairs: list[float]) -> str:
    """The mean of paired differences, with its 95 % interval by Student's t where there are several."""
    if not any(pairs):
        return ""
    if len(pairs) < 2:
        return f"{pairs[0]:+.4f}"
    half = t_interval(pairs)
    return f"{statistics.mean(pairs):+.4f} ± {half:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="a text file, or a name from `shakegen corpora list`")
    parser.add_argument("--cells", nargs="+", default=sorted(BUILT_IN, key=lambda name: name != DEFAULT))
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--states", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rates", type=float, nargs="+", default=[0.003, 0.006, 0.012])
    parser.add_argument("--results", type=Path, default=Path("cells.jsonl"), help="a line for each run")
    parser.add_argument("--table", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    fixed = {"corpus": arguments.corpus, "minutes": arguments.minutes}
    if not arguments.table:
        first, *others = arguments.states
        units = match_units(arguments.corpus, arguments.cells)
        rates = sorted(arguments.rates, key=lambda rate: abs(math.log(rate / Recipe().learning_rate)))
        tried = [(cell, rate, first) for rate in rates for cell in arguments.cells]
        run_all([plan_run(fixed, units, *one) for one in tried], arguments.results)
        runs = read_results(arguments.results, **fixed)
        chosen = {cell: best_rate([one for one in runs if one["cell"] == cell], first) for cell in arguments.cells}
        again = [(cell, chosen[cell], state) for state in others for cell in arguments.cells]
        run_all([plan_run(fixed, units, *one) for one in again], arguments.results)
    runs = read_results(arguments.results, **fixed)
    if not runs:
        parser.error(f"there are no runs of {arguments.corpus}, {arguments.minutes:g} minutes, in {arguments.results}")
    print(table(runs, arguments.cells, arguments.states[0]))


if __name__ == "__main__":
    main()
