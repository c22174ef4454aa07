"""The study of memory on any text: trains its networks, measures them, and writes a page with the results.

    python benchmarks/study.py warpeace --minutes 1                 # the study in small: docs/study.md and its figures
    python benchmarks/study.py text8                                # the full study, on a GPU

Each run is `shakegen train --task autocomplete`, with a file of its own in `--folder`. If the command is interrupted,
the same command goes on with the runs that are missing. A folder with runs of other options is refused. A text of less
than 20 million characters is learned by networks of the study's shape with `--units`, by the usual recipe; a longer one
by those of the study, by its recipe.
"""

import json
import shlex
import statistics
import sys
from pathlib import Path

from measuring import make_parser, shakegen

NATS = ("cross_entropy", "early")  # figures that are no shares
CELLS = "gru,lstm,nlstm,mingru"
PUBLISHED = {"gru": (2.1170, 0.5201), "lstm": (2.1713, 0.5140), "nlstm": (2.4950, 0.4710)}
SHAPE = {"gru": ["--layers", 2, "--reset-before"], "nlstm": ["--layers", 1]}  # of the study; others have 2 layers
TEXT = "the prince looked at her in silence and then went out of the room without a word"
NEAR = 10  # characters, the last one read among them; connectivity before them is far
FIGURES = {
    "cross_entropy": "cross entropy, nats/position",
    "early": "validation loss at the first report, nats/position",
    "masked_accuracy": "accuracy",
    "study_accuracy": "accuracy, unknown words and padding as errors",
    "long_context_accuracy": "accuracy before a character is typed",
    "short_context_accuracy": "accuracy from 3 characters typed on",
    "far": f"share of connectivity before the last {NEAR} characters, in the sentence below",
}

SMALL = """networks of the study's shape with {} units in place of 600,
trained by the usual recipe. The study's needs more updates than so short a text gives"""
USUAL_START = (
    "These networks start and learn by the usual recipe, all with a warm-up of 2 %. (`--recipe study` starts them as "
    "the study's program did.)"
)
STUDY_START = """\
The networks start as the study's program did under TensorFlow 1: both gates of the GRU with a bias of 1, recurrent
  kernels as Glorot draws them, Adam's epsilon 1e-8. There, one matrix held input and recurrent kernel; ours are drawn
  apart, each within the limits of its own shape."""
PAGE = """\
# The study of memory, repeated

*Visualizing memorization in RNNs* (Madsen 2019, [Distill](https://distill.pub/2019/memorization-in-rnns/)) compared
networks by one task: at each character, predict the whole word that it is part of. One command made this page:

```sh
{command}
```

The text is {corpus}, {characters:,} characters as words of a to z, and the networks predict {words:,} words. They are
{networks}.
Each cell has {states} runs with different random states{budget}. The figures are of the test part,
unless a row says otherwise; ± is the 95 % interval of a mean, by Student's t. The published figures are of text8,
16,384 words and 600 units, and every position counts in the accuracy. So compare the order of the cells with them, not
the size of the figures.

{table}

## Do the conclusions hold?

Runs of two cells with the same random state read the same batches, so their differences are taken in pairs. Where the
table has less than one pass over the text, *in the end* means at the end of these short runs.

{conclusions}

## Accuracy by characters typed

![Accuracy by characters typed, for each cell]({typed})

Before a character is typed, only the earlier words help. Each typed character tells more of the word.

## Learning

![Validation loss by epoch, for each cell]({learning})

The validation loss of the first run of each cell.

## Connectivity

![Connectivity of each cell along a sentence]({connectivity})

A row is a position of a sentence. It shows how much the prediction there depends on each character up to it, relative
to the strongest. The sentence: *{sentence}*.

## Differences from the study

- {starts}
- The article prints the norm of a gradient as connectivity, and its program sums squares. Ours follows the program.
- The article counts padding and unknown words as errors. Here, this figure is a row of its own.
"""


def carry_out(options, cell: str, state: int) -> dict:
    """The results of one run, from its file if it has ended before."""
    path, shape = options.folder / f"{cell}-{state}.json", []
    if not options.full:
        shape = ["--recipe", "usual", "--units", options.units, "--embedding", options.units, "--no-residual"]
        shape += [*SHAPE.get(cell, ["--layers", 2]), "--warmup", 0.02]  # which would else depend on the layers
    budget = ["--minutes", options.minutes] if options.minutes else []
    command = ["train", options.corpus, "--task", "autocomplete", "--cell", cell, *shape, *budget, *options.more]
    written = shlex.join(map(str, command))
    if not path.exists():
        model = path.with_suffix(".h5")
        quiet = "--quiet", "--json", "--checkpoint-every", 0
        trained = json.loads(shakegen(*command, "--random-state", state, *quiet, "--out", model))
        result = {"command": written, "history": trained["history"]}
        result["about"] = json.loads(shakegen("info", model, "--json"))
        result["test"] = json.loads(shakegen("evaluate", model, options.corpus, "--json"))
        result["connectivity"] = json.loads(shakegen("connectivity", TEXT, "-m", model, "--json"))["models"][0]
        path.write_text(json.dumps(result), encoding="utf-8")
    result = json.loads(path.read_text(encoding="utf-8"))
    if result["command"] != written:
        sys.exit(f"{path} is of `{result['command']}`, not of `{written}`: name another --folder")
    print(f"{cell}, random state {state}: {result['test']['cross_entropy']:.4f} nats/position", file=sys.stderr)
    far, early = measure_far(result["connectivity"]["connectivity"]), result["history"][0]["val_loss"]
    return result | {"test": result["test"] | {"far": far, "early": early}}


def measure_far(rows: list[list[float]]) -> float:
    """The share of the connectivity of characters before the last NEAR, a mean over the positions that have any."""
    late = [row for row in rows if len(row) > NEAR and sum(row) > 0]
    return statistics.mean(sum(row[: len(row) - NEAR]) / sum(row) for row in late)


def interval(values: list[float]) -> tuple[float, float | None]:
    """A mean, and half the width of its 95 % interval by Student's t; None of one value."""
    from shakegen.intervals import t_interval

    return statistics.mean(values), t_interval(values)


def show(mean: float, half: float | None, share: bool, sign: str = "") -> str:
    scale, digits, unit = (100, 2, " %") if share else (1, 4, "")
    text = f"{scale * mean:{sign}.{digits}f}"
    return (text if half is None else f"{text} ± {scale * half:.{digits}f}") + unit


def list_results(results: dict) -> list[str]:
    """The table of all cells."""
    lines = [f"| | {' | '.join(results)} |", f"|---|{'---:|' * len(results)}"]
    for key, title in FIGURES.items():
        values = (interval([run["test"][key] for run in runs]) for runs in results.values())
        lines.append(f"| {title} | {' | '.join(show(*one, key not in NATS) for one in values)} |")
    for title, key in (("published cross entropy", 0), ("published accuracy", 1)):
        shown = (show(PUBLISHED[cell][key], None, bool(key)) if cell in PUBLISHED else "" for cell in results)
        lines.append(f"| {title} | {' | '.join(shown)} |")
    for title, value in (
        ("weights", lambda run: f"{run['about']['parameters']:,}"),
        ("passes over the text", lambda run: f"{run['about']['epochs']:.3g}"),
    ):
        lines.append(f"| {title}, first run | {' | '.join(value(runs[0]) for runs in results.values())} |")
    return lines


def compare(results: dict, one: str, other: str, key: str, wanted: int, claim: str) -> str:
    """Whether a claim holds: the sign of a paired difference, over the random states."""
    pairs = [a["test"][key] - b["test"][key] for a, b in zip(results[one], results[other], strict=True)]
    mean, half = interval(pairs)
    agree = sum(difference * wanted > 0 for difference in pairs)
    if half is not None and abs(mean) > half:
        verdict = "It holds here" if mean * wanted > 0 else "The opposite holds here"
    else:
        verdict = "These runs cannot tell"
    shown = f"{FIGURES[key]}, {show(mean, half, key not in NATS, '+')}"
    return f"- {claim} {verdict}: {one} − {other}, {shown}; {agree} of {len(pairs)} pairs of runs agree with the claim."


def conclude(results: dict) -> list[str]:
    """The conclusions of the study, each beside what was found."""
    claims = []
    if {"gru", "lstm"} <= set(results):
        claims.append(compare(results, "gru", "lstm", "cross_entropy", -1, "*The GRU predicts best.*"))
        claims.append(
            compare(results, "gru", "lstm", "long_context_accuracy", 1, "*The GRU uses the earlier words more.*")
        )
        claims.append(compare(results, "gru", "lstm", "far", 1, "*The GRU has the longer memory.*"))
    if {"lstm", "nlstm"} <= set(results):
        claims.append(compare(results, "nlstm", "lstm", "early", -1, "*The Nested LSTM learns faster at first.*"))
        claims.append(compare(results, "nlstm", "lstm", "cross_entropy", 1, "*The Nested LSTM is worse in the end.*"))
    return claims


def draw(results: dict, place: Path) -> None:
    """The three figures beside the page: learning, accuracy by characters typed, and connectivity."""
    import numpy as np

    from shakegen import plotting
    from shakegen.plotting import Curve, Figure, Heat, Panel

    curves = [
        Curve(cell, *([entry[name] for entry in runs[0]["history"]] for name in ("epoch", "val_loss")))
        for cell, runs in results.items()
    ]
    plotting.save(
        Figure("Learning", [Panel("epoch", "validation, nats/position", curves)]), name_figure(place, "learning")
    )
    typed = {cell: average_by_typed([run["test"] for run in runs]) for cell, runs in results.items()}
    plotting.save(plotting.accuracy_by_typing(typed), name_figure(place, "typed"))
    panels = []
    for cell, runs in results.items():
        one = runs[0]["connectivity"]
        values = np.full((len(one["characters"]),) * 2, np.nan)
        for row, norms in enumerate(one["connectivity"]):
            values[row, : row + 1] = np.array(norms) / max(*norms, 1e-30) if row else 1.0
        axes = "character read", "character at which the word is predicted"
        panels.append(Panel(*axes, heat=Heat(values, "connectivity"), title=cell))
    plotting.save(Figure("Connectivity", panels), name_figure(place, "connectivity"))


def name_figure(place: Path, what: str) -> Path:
    return place.with_name(f"{place.stem}-{what}.svg")


def average_by_typed(tests: list[dict]) -> dict:
    """Accuracy by characters typed, a mean over runs; numbers of characters that few positions have are left out."""
    tables = [{row["typed"]: row for row in test["by_characters_typed"]} for test in tests]
    common = [typed for typed, row in tables[0].items() if row["positions"] >= 100 or typed == 0]
    keys = [key for key in tables[0][0] if key.startswith("top_")]
    rows = [
        {"typed": typed} | {key: statistics.mean(table[typed][key] for table in tables) for key in keys}
        for typed in common
        if all(typed in table for table in tables)
    ]
    return {"by_characters_typed": rows}


def write(options, results: dict) -> str:
    """The page."""
    about = next(iter(results.values()))[0]["about"]
    return PAGE.format(
        command=shlex.join(["python", "benchmarks/study.py", *options.given]),
        corpus=about["corpus"]["name"],
        characters=about["corpus"]["length"],
        words=about["words"],
        networks="the networks and the recipe of the study" if options.full else SMALL.format(options.units),
        starts=STUDY_START if options.full else USUAL_START,
        states=len(options.states),
        budget=f", of {options.minutes:g} min each" if options.minutes else "",
        table="\n".join(list_results(results)),
        conclusions="\n".join(conclude(results)),
        sentence=TEXT,
        **{what: name_figure(options.out, what).name for what in ("typed", "learning", "connectivity")},
    )


def main():
    argv = sys.argv[1:]
    end = argv.index("--") if "--" in argv else len(argv)
    parser = make_parser(__doc__)
    parser.add_argument("corpus", help="a text file, or a name from `shakegen corpora list`")
    parser.add_argument("--cells", default=CELLS)
    parser.add_argument("--random-states", dest="states", default="0,1,2")
    parser.add_argument("--units", type=int, default=128, help="of a short text's networks")
    parser.add_argument("--minutes", type=float, help="of each run; by default the epochs of the recipe")
    parser.add_argument("--folder", type=Path, help="of the runs  [default: models/study-<corpus>]")
    parser.add_argument("--out", type=Path, default=Path("docs/study.md"))
    options = parser.parse_args(argv[:end])
    options.given, options.more = argv, argv[end + 1 :]
    options.states = [int(state) for state in options.states.split(",")]
    options.folder = options.folder or Path("models") / f"study-{Path(options.corpus).stem}"
    options.folder.mkdir(parents=True, exist_ok=True)
    from shakegen.study.autocomplete.corpus import load_autocomplete_corpus

    options.full = load_autocomplete_corpus(options.corpus).is_long
    cells = options.cells.split(",")
    runs = {(cell, state): carry_out(options, cell, state) for state in options.states for cell in cells}
    results = {cell: [runs[cell, state] for state in options.states] for cell in cells}
    options.out.write_text(write(options, results), encoding="utf-8")
    draw(results, options.out)


if __name__ == "__main__":
    main()
