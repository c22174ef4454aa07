"""How well default settings learn a text in a given time: nats per character on text that was held out.

    python benchmarks/quality.py tinyshakespeare sonnets --minutes 3
    python benchmarks/quality.py tinyshakespeare --minutes 3 --states 1 2 3 4 5 --split 0.8,0.1,0.1 --folder runs
    python benchmarks/quality.py my.txt --minutes 30 --write 200 -- --units 512

Each run is `shakegen train` in a process of its own. Then `shakegen evaluate` reads the last part of the split that is
not empty. With the usual split, 0.9,0.1,0, this part also chose the best epoch, as in the figures that others publish.
With 0.8,0.1,0.1 it chose nothing.

The columns: *in order* carries the state from the first character to the last. *Windows* is nanoGPT's protocol: windows
of 256 characters at random places (--draws), each read from the start state. *Dynamic* lets the network learn from what
it has read. *Wall seconds* are not known of a run that was interrupted. With several random states, a last row has the
means and standard deviations.

With `--folder`, the figures and the model of each run are kept there, and no run is done twice: after an interruption
the same command goes on. `--parts N` ends after N new runs. Options after `--` go to training. With `--write`, each
network also writes so many characters, at temperature 0.6.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import make_parser, print_head, print_row, shakegen

DRAWS = 5000  # windows of nanoGPT's protocol
PARTS = ("train", "validation", "test")
WAYS = {"": (), "windows_": ("--windows", 256, "--draws"), "dynamic_": ("--dynamic",)}
COLUMNS = ("corpus", "options", "random state", "parameters", "minutes", "wall seconds", "best epoch", "in order",
           "windows", "dynamic")  # fmt: skip
WRITING = ("--temperature", 0.6, "--random-state", 0)


def measure(model: Path, corpus: str, split: str, minutes: float, state: int, options: list[str], draws: int) -> dict:
    """The figures of one run; a run that was interrupted goes on from its model file."""
    began = time.monotonic()
    usual = "--split", split, "--minutes", minutes, "--random-state", state, *options
    resumed = model.exists()
    try:
        shakegen("train", corpus, "--quiet", "--out", model, *(["--resume"] if resumed else usual))
    except subprocess.CalledProcessError as error:
        if not (resumed and "has ended" in error.stderr):
            sys.exit(error.stderr)
    about = json.loads(shakegen("info", model, "--json"))
    seconds = None if resumed else time.monotonic() - began
    figures = {"seconds": seconds, "draws": draws, **{name: about[name] for name in ("parameters", "best_epoch")}}
    part = PARTS[max(k for k, size in enumerate(split.split(",")) if size.strip("0."))]
    for name, way in WAYS.items():
        more = [*way, draws] if "--draws" in way else way
        found = json.loads(shakegen("evaluate", model, corpus, "--split", part, "--json", *more))
        figures[f"{name}nats"] = found[f"{name}nats_per_character"]
    return figures


def summarise(values: list[float]) -> str:
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def measure_states(corpus: str, minutes: float, given, options: list[str], folder: Path) -> list[Path]:
    """Measure a run for each random state and print its row, up to `given.parts` new runs; the files of the models."""
    name, learned, rows, models = Path(corpus).stem, " ".join(options), [], []
    for state in given.states:
        run = re.sub(r"[^\w.]+", "-", f"{corpus} {given.split} {minutes:g} {state} {learned}").strip("-")
        model, file = folder / f"{run}.h5", folder / f"{run}.json"
        if not file.exists():
            if given.parts <= 0:
                return models
            given.parts -= 1
            found = measure(model, corpus, given.split, minutes, state, options, given.draws)
            file.write_text(json.dumps(found), encoding="utf-8")
        found = json.loads(file.read_text(encoding="utf-8"))
        if (drawn := found.get("draws", DRAWS)) != given.draws:
            sys.exit(f"{file} has the figures of {drawn} windows, not {given.draws}: name another --folder")
        seconds = "" if found["seconds"] is None else f"{found['seconds']:.0f}"
        about = f"{found['parameters']:,}", f"{minutes:g}", seconds, f"{found['best_epoch']:g}"
        rows.append([found[f"{way}nats"] for way in WAYS])
        models.append(model)
        print_row(name, learned or "defaults", state, *about, *(f"{nats:.4f}" for nats in rows[-1]))
    if len(rows) > 1:
        means = map(summarise, zip(*rows, strict=True))
        print_row(name, learned or "defaults", "mean ± sd", "", f"{minutes:g}", "", "", *means)
    return models


def make_table_parser(description: str):
    """The options of all tables."""
    parser = make_parser(description)
    parser.add_argument("--minutes", type=float, nargs="+", default=[3.0])
    parser.add_argument("--states", type=int, nargs="+", default=[0], help="random states; a run for each")
    parser.add_argument("--draws", type=int, default=DRAWS, help="windows of nanoGPT's protocol")
    parser.add_argument("--folder", type=Path, help="keep models and figures there")
    parser.add_argument("--parts", type=float, default=float("inf"), help="end after so many new runs")
    return parser


def main():
    argv = sys.argv[1:]
    end = argv.index("--") if "--" in argv else len(argv)
    parser = make_table_parser(__doc__)
    parser.add_argument("corpus", nargs="+", help="text files, or names from `shakegen corpora list`")
    parser.add_argument("--split", default="0.9,0.1,0")
    parser.add_argument("--write", type=int, metavar="LENGTH", default=0, help="characters that each network writes")
    given, texts = parser.parse_args(argv[:end]), {}
    print_head(*COLUMNS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for corpus in given.corpus:
            for minutes in given.minutes:
                models = measure_states(corpus, minutes, given, argv[end + 1 :], folder)
                if given.write and models:
                    texts[corpus, minutes] = shakegen("sample", "-m", models[0], "--length", given.write, *WRITING)
    for (corpus, minutes), text in texts.items():
        print(f"\n{Path(corpus).stem}, {minutes:g} minutes:\n\n```text\n{text.rstrip()}\n```", flush=True)


if __name__ == "__main__":
    main()
