"""How training went: losses against epochs or time."""

import math
from collections.abc import Mapping

from shakegen.plotting.figure import Curve, Figure, Panel

AXES = {"epochs": "epoch", "minutes": "minutes"}
PARTS = {"validation": "val_loss", "training": "loss"}


def learning_curves(runs: Mapping, against: str = "epochs", parts=tuple(PARTS), from_epoch: float = 0) -> Figure:
    """The losses of training runs, in bits per character, or word, or in nats, the best epoch of each run marked.

    Args:
        runs: trained models by their names: objects with `history`, `best_epoch` and `loss_unit`, as a
            `LanguageModel` has them.
        against: "epochs" or "minutes".
        parts: which losses: "validation" (a full line), "training" (a broken one), or both.
        from_epoch: leaves out the epochs before it.

    Raises:
        ValueError: some runs are of characters, some of words; or a run has no epochs to show, or no times, or no
            loss of those asked for; the message says which.
    """
    if against not in AXES:
        raise ValueError(f"against is {against!r}: expected one of {', '.join(AXES)}")
    if not parts or not set(parts) <= set(PARTS):
        raise ValueError(f"the losses asked for are {parts!r}: expected {' or '.join(PARTS)}, or both")
    shown = {name: epochs_of(name, model.history, against, from_epoch) for name, model in runs.items()}
    units = {model.loss_unit for model in runs.values()}
    if len(units) > 1:
        raise ValueError("some models predict characters, some words: their losses do not compare, so plot them apart")
    curves = []
    for part in parts:  # those of one kind side by side in the legend
        curves += [curve(name, model, shown[name], against, part, parts) for name, model in runs.items()]
    curves = [found for found in curves if found]
    missing = next((name for name in runs if name not in {found.series for found in curves}), None)
    if missing is not None:
        raise ValueError(f"{missing} has no {parts[0]} loss: it was trained without such text, try the other loss")
    return Figure("Learning curves", [Panel(AXES[against], units.pop().name, curves)])


def epochs_of(name: str, history: list[dict], against: str, from_epoch: float) -> list[dict]:
    if not history:
        raise ValueError(f"{name} has no history of its training: expected a model that `shakegen train` wrote")
    epochs = [entry for entry in history if entry["epoch"] >= from_epoch]
    if not epochs:
        raise ValueError(f"{name} has no epoch from {from_epoch:g} on: its last is {history[-1]['epoch']:g}")
    if against == "minutes" and any("seconds" not in entry for entry in epochs):
        raise ValueError(f"{name} has no times for its epochs, an older shakegen trained it: try --against epochs")
    return epochs


def curve(name: str, model, epochs: list[dict], against: str, part: str, parts) -> Curve | None:
    """One loss of one run; None where no epoch has it."""
    losses = [entry.get(PARTS[part], math.nan) / model.loss_unit.nats for entry in epochs]
    if not any(map(math.isfinite, losses)):
        return None
    x = [entry["seconds"] / 60 if against == "minutes" else entry["epoch"] for entry in epochs]
    best = model.best_epoch
    decides = part == "validation" or not ("val_loss" in best and "validation" in parts)
    mark = epochs.index(best) if decides and best in epochs and PARTS[part] in best else None
    note = "" if mark is None else f"best {losses[mark]:.3f} at epoch {best['epoch']:g}"
    return Curve(name, x, losses, part, note, dashed=part == "training", mark=mark)
