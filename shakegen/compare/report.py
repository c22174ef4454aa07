"""The outcome of a comparison as a figure, and on a page."""

from pathlib import Path

import numpy as np

from shakegen import plotting
from shakegen.compare.conclusions import conclude
from shakegen.compare.summary import Row, Summary
from shakegen.compare.table import columns, score
from shakegen.files import write_whole
from shakegen.network.config import USUAL_DROPOUT, Config
from shakegen.plotting import Curve, Figure, Fragment, Panel, Table
from shakegen.plotting.page import escape_html
from shakegen.training.recipe import ADAM, USUAL_DECAY

AXES = {"steps": ("steps", 1), "seconds": ("minutes", 60)}
LOSSES = {"val_loss": "validation", "loss": "training"}
STYLE = """
.samples { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 0 2rem; }
.samples pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.85rem; }
"""


def save(summary: Summary, path: Path) -> None:
    """Write the report of a comparison: a page with all of it, or an image of its curves.

    Raises:
        ValueError: as `plotting.check`; or there are no curves, and an image of them was asked for.
        OSError: the file cannot be written.
    """
    if path.suffix.lower() == ".html":
        write_whole(path, page(summary).encode())
    else:
        drawn = curves(summary)
        if drawn is None:
            raise ValueError(f"there are no curves for {path}: no run got as far as the end of an epoch")
        plotting.save(drawn, path)


def page(summary: Summary) -> str:
    """A self-contained web page: what can be concluded, the plan, the table, the curves, a sample of each network."""
    shown = columns(summary)
    header = [column.title for column in shown]
    table = Table(header, list(zip(*(column.long for column in shown), strict=True)))
    tried = [list_tried(summary)] if summary.trials else []
    drawn = [figure for figure in (curves(summary), accuracies(summary)) if figure]
    title = f"{', '.join(row.name for row in summary.rows)} on {summary.corpus['name']}"
    settings = Table(("setting", "value"), list_settings(summary), "Training")
    about = [summary.describe(), *summary.failures, summary.explain_errors()]
    return plotting.page(title, *conclude(summary), *about, table, *tried, *drawn, samples(summary), settings)


def list_tried(summary: Summary) -> Table:
    """The settings that were tried for each network, with the loss on validation text, which chose."""
    names = [trial.setting.replace("_", " ") for trial in summary.trials]
    rows = [
        (
            trial.entry.name,
            f"{value:g}",
            "-" if loss is None else f"{loss:.3f}",
            "chosen" * (value == trial.chosen and loss is not None),
        )
        for trial in summary.trials
        for value, loss in trial.losses.items()
    ]
    return Table(("cell", names[0], summary.task.measures[0].title, ""), rows, "Tuning")


def list_settings(summary: Summary) -> list[tuple[str, object]]:
    """The names and values of everything that the networks have in common, their weight decay and their dropout."""
    plan, temperature = summary.plan, summary.task.sample_temperature
    settings = {name: value for name, value in plan.recipe.to_dict().items() if value is not None}
    settings.pop("random_state")
    rates = {entry.name: plan.make_recipe(entry, 0).learning_rate for entry in plan.entries}
    if set(rates.values()) != {settings["learning_rate"]}:
        settings.pop("learning_rate")
        settings |= {f"learning rate of {name}": rate for name, rate in rates.items()}
    if plan.recipe.optimizer == ADAM:
        settings.setdefault("weight_decay", USUAL_DECAY)
    settings["random states"] = ", ".join(map(str, plan.random_states))
    dropouts = {row.name: describe_dropout(row.config) for row in summary.rows}
    if len(set(dropouts.values())) == 1:
        settings["dropout"] = next(iter(dropouts.values()))
    else:
        settings |= {f"dropout of {name}": text for name, text in dropouts.items()}
    if temperature is not None:
        settings["temperature of the samples"] = temperature
    return [(name.replace("_", " "), value) for name, value in settings.items()]


def describe_dropout(config: Config) -> str:
    """The dropout of a network in training."""
    return USUAL_DROPOUT if config.dropout is None else f"{config.dropout:g}"


def curves(summary: Summary) -> Figure | None:
    """The losses against steps and against time: means over the runs, with the range of these; None without any."""
    panels, unit = [], summary.task.kind.unit_of(summary.rows[0].config)
    for key, (label, scale) in AXES.items():
        drawn = [
            curve(row, key, scale, loss, unit.nats, f"best {describe_best(summary, row)}")
            for loss in LOSSES
            for row in summary.rows
            if any(loss in entry for history in row.histories for entry in history)
        ]
        if drawn:
            panels.append(Panel(label, unit.name, drawn))
    banded = any(line.band is not None for panel in panels for line in panel.curves)
    spread = " (lines: means of the runs; bands: from the lowest to the highest)" * banded
    return Figure(f"Learning curves{spread}", panels) if panels else None


def describe_best(summary: Summary, row: Row) -> str:
    """The loss of the best epochs, as the table has it, with its unit."""
    measure = summary.task.measures[0]
    return f"{score(row.figures[measure.name])} {measure.unit}" if row.finished else "unknown"


def curve(row: Row, key: str, scale: float, loss: str, nats: float, note: str) -> Curve:
    """One loss of one network; the note is on that of validation."""
    runs = [
        np.array([(entry[key] / scale, entry[loss] / nats) for entry in history if loss in entry])
        for history in row.histories
    ]
    x, y = align([run for run in runs if len(run)])
    validation = loss == "val_loss"
    band = (y.min(axis=0), y.max(axis=0)) if len(y) > 1 else None
    mark = int(np.argmin(y[0])) if validation and len(y) == 1 else None  # runs have best epochs of their own
    return Curve(row.name, x, y.mean(axis=0), LOSSES[loss], note if validation else "", not validation, mark, band)


def align(runs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Where to show several curves of points (x, y), x growing, as one: x, shape (points,), and y, (runs, points).

    Curves with equal numbers of points are taken point by point. Others are interpolated at every point that one of
    them has and all of them reach, and taken at their ends.
    """
    if len({len(run) for run in runs}) == 1:
        both = np.stack(runs)
        return both[:, :, 0].mean(axis=0), both[:, :, 1]
    last = np.stack([run[-1] for run in runs])
    first, end = max(run[0, 0] for run in runs), last[:, 0].min()
    x = np.unique(np.concatenate([run[:, 0] for run in runs]))
    x = x[(x >= first) & (x < end)]
    y = [np.append(np.interp(x, *run.T), run[-1, 1]) for run in runs]
    return np.append(x, last[:, 0].mean()), np.stack(y)


def accuracies(summary: Summary) -> Figure | None:
    """Of autocomplete: how accuracy grows with each character typed, means over the runs; None of other tasks."""
    accuracy = {}
    for row in summary.rows:
        tests = [record.figures["test"] for record in row.finished if record.figures["test"]]
        by_typed = [test["by_characters_typed"] for test in tests if "by_characters_typed" in test]
        if by_typed:
            shares = [{key: np.mean([one[key] for one in same]) for key in same[0]} for same in zip(*by_typed)]
            accuracy[row.name] = {"by_characters_typed": [{k: float(v) for k, v in one.items()} for one in shares]}
    return plotting.accuracy_by_typing(accuracy) if accuracy else None


def samples(summary: Summary) -> Fragment:
    """A sample of each network."""
    written = [
        f"<section><h3>{escape_html(row.name)}</h3><pre>{escape_html(row.sample)}</pre></section>"
        for row in summary.rows
        if row.sample
    ]
    return Fragment(f'<h2>Samples</h2><div class="samples">{"".join(written)}</div>' if written else "", STYLE)
