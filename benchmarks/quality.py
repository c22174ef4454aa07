"""How well default settings learn a text in a given time: nats and bits per character on its held-out last tenth.

    python benchmarks/quality.py tinyshakespeare sonnets --minutes 3
    python benchmarks/quality.py my.txt --minutes 30 --write 200 -- --units 512
    python benchmarks/quality.py text8 --minutes 30 -- --split "9M,1M,*"

Each run is `shakegen train` in a process of its own. Then `shakegen evaluate` reads the held-out text in order. The
held-out text also chose the best epoch, as in the figures that others publish. Options after `--` go to training.
With `--write`, each network also writes so many characters, at temperature 0.6.
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
WRITING = ("--temperature", 0.6, "--random-state", 0)


def shakegen(*arguments) -> str:
    command = [sys.executable, "-m", "shakegen", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure(corpus: str, minutes: float, options: list[str], length: int) -> tuple[tuple, str]:
    """The figures of one run, and a text of that length by its network."""
    with tempfile.TemporaryDirectory() as folder:
        model, began = Path(folder) / "model.h5", time.monotonic()
        shakegen("train", corpus, "--split", SPLIT, "--minutes", minutes, "--quiet", "--out", model, *options)
        took = time.monotonic() - began
        about = json.loads(shakegen("info", model, "--json"))
        evaluation = json.loads(shakegen("evaluate", model, corpus, "--split", "validation", "--json"))
        written = shakegen("sample", "--model", model, "--seed", "", "--length", length, *WRITING) if length else ""
    nats, bits = evaluation["nats_per_character"], evaluation["bits_per_character"]
    figures = (f"{about['parameters']:,}", f"{minutes:g}", f"{took:.0f}", f"{about['best_epoch']:g}")
    return (Path(corpus).stem, " ".join(options) or "defaults", *figures, f"{nats:.4f}", f"{bits:.4f}"), written


def main():
    argv = sys.argv[1:]
    end = argv.index("--") if "--" in argv else len(argv)
    own, options = argv[:end], argv[end + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+", help="text files, or names from `shakegen corpora list`")
    parser.add_argument("--minutes", type=float, nargs="+", default=[3.0])
    parser.add_argument("--write", type=int, metavar="LENGTH", default=0, help="characters that each network writes")
    arguments = parser.parse_args(own)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    texts = {}
    for corpus in arguments.corpus:
        for minutes in arguments.minutes:
            figures, texts[corpus, minutes] = measure(corpus, minutes, options, arguments.write)
            print(f"| {' | '.join(figures)} |", flush=True)
    for (corpus, minutes), text in texts.items():
        if text:
            print(f"\n{Path(corpus).stem}, {minutes:g} minutes:\n\n```text\n{text.rstrip()}\n```", flush=True)


if __name__ == "__main__":
    main()
