"""How well default settings learn a text in a given time: nats and bits per character on its held-out last tenth.

    python benchmarks/quality.py tinyshakespeare sonnets --minutes 3
    python benchmarks/quality.py my.txt --minutes 30 -- --units 512

Each run is `shakegen train` in a process of its own. Then `shakegen evaluate` reads the held-out text in order. The
held-out text also chose the best epoch, as in the figures that others publish. Options after `--` go to training.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS = ("corpus", "options", "parameters", "minutes", "wall seconds", "best epoch", "nats/char", "bits/char")
SPLIT = "0.9,0.1,0"


def shakegen(*arguments) -> str:
    command = [sys.executable, "-m", "shakegen", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def row(corpus: str, minutes: float, options: list[str]) -> tuple:
    """The figures of one run."""
    with tempfile.TemporaryDirectory() as folder:
        model, began = Path(folder) / "model.h5", time.monotonic()
        shakegen("train", corpus, "--split", SPLIT, "--minutes", minutes, "--quiet", "--out", model, *options)
        took = time.monotonic() - began
        about = json.loads(shakegen("info", model, "--json"))
        evaluation = json.loads(shakegen("evaluate", model, corpus, "--split", "validation", "--json"))
    nats, bits = evaluation["nats_per_character"], evaluation["bits_per_character"]
    figures = (f"{about['parameters']:,}", f"{minutes:g}", f"{took:.0f}", f"{about['best_epoch']:g}")
    return Path(corpus).stem, " ".join(options) or "defaults", *figures, f"{nats:.4f}", f"{bits:.4f}"


def main():
    argv = sys.argv[1:]
    end = argv.index("--") if "--" in argv else len(argv)
    own, options = argv[:end], argv[end + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+", help="text files, or names from `shakegen corpora list`")
    parser.add_argument("--minutes", type=float, nargs="+", default=[3.0])
    arguments = parser.parse_args(own)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for corpus in arguments.corpus:
        for minutes in arguments.minutes:
            print(f"| {' | '.join(row(corpus, minutes, options))} |", flush=True)


if __name__ == "__main__":
    main()
