"""Learning curves: losses against epochs or time."""

import math
from collections.abc import Mapping

from shakegen.plotting.figure import Curve, Figure, Panel

AXES = {"epochs": "epoch", "minutes": "minutes"}
PARTS = {"validation": "val_loss", "training": "loss"}


def learning_curves(runs: Mapping, against: str = "epochs", parts=tuple(PARTS), from_epoch: float = 0) -> Figure:
    """The losses of training runs, a panel for each unit. The best epoch of each run is marked.

    Args:
        runs: trained models by their names; each has `history`, `best_epoch` and `loss_unit` like a `LanguageModel`.
        against: "epochs" or "minutes".
        parts: the losses to show: "validation" (a full line), "training" (a broken one), or both.
        from_epoch: the first epoch to show.

    Raises:
        ValueError: a run has no epochs, no times or no loss of this kind; the message says which.
    """
    if against not in AXES:
        raise ValueError(f"against is {against!r}: expected one of {', '.join(AXES)}")
    if not parts or not set(parts) <= set(PARTS):
        raise ValueError(f"the losses asked for are {parts!r}: expected {' or '.join(PARTS)}, or both")
    shown = {name: select_epochs(name, model.history, against, from_epoch) for name, model in runs.items()}
    panels = []
    for unit in dict.fromkeys(model.loss_unit for model in runs.values()):
        own = {name: model for name, model in runs.items() if model.loss_unit == unit}
        curves = [
            curve
            for part in parts  # curves of one kind side by side in the legend
            for name, model in own.items()
            if (curve := make_curve(name, model, shown[name], against, part, parts))
        ]
        missing = next((name for name in own if name not in {curve.series for curve in curves}), None)
        if missing is not None:
            raise ValueError(f"{missing} has no {parts[0]} loss: it was trained without that text, try the other loss")
        panels.append(Panel(AXES[against], unit.name, curves))
    return Figure("Learning curves", panels)


def select_epochs(name: str, history: list[dict], against: str, from_epoch: float) -> list[dict]:
    if not history:
        raise ValueError(f"{name} has no history of its training: expected a model that `shakegen train` wrote")
    epochs = [entry for entry in history if entry["epoch"] >= from_epoch]
    if not epochs:
        raise ValueError(f"{name} has no epoch from {from_epoch:g} on: its last is {history[-1]['epoch']:g}")
    if against == "minutes" and any("seconds" not in entry for entry in epochs):
        raise ValueError(f"{name} has no times for its epochs, an older shakegen trained it: try `against='epochs'`")
    return epochs


def make_curve(name: str, model, epochs: list[dict], against: str, part: str, parts) -> Curve | None:
    """The curve of one loss of one run; None if no epoch has that loss."""
    losses = [entry.get(PARTS[part], math.nan) / model.loss_unit.nats for entry in epochs]
    if not any(map(math.isfinite, losses)):
        return None
    x = [entry["seconds"] / 60 if against == "minutes" else entry["epoch"] for entry in epochs]
    best = model.best_epoch
    decides = part == "validation" or not ("val_loss" in best and "validation" in parts)
    mark = epochs.index(best) if decides and best in epochs and PARTS[part] in best else None
    note = "" if mark is None else f"best {losses[mark]:.3f} at epoch {best['epoch']:.4g}"
    return Curve(name, x, losses, part, note, dashed=part == "training", mark=mark)
