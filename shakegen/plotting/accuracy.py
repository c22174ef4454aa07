"""How accuracy grows with each character typed of a word: the figure of the study of memory (Madsen 2019)."""

import math
from collections.abc import Mapping

from shakegen.plotting.figure import Curve, Figure, Panel

TOP = {1: "the likeliest word", 2: "among the likeliest 2", 3: "among the likeliest 3"}


def accuracy_by_typing(evaluations: Mapping[str, dict]) -> Figure:
    """The shares of positions whose word a model has among its first suggestions, by the characters typed.

    Args:
        evaluations: by the names of models: `autocomplete.measures.AutocompleteEvaluation.to_dict()`, or the JSON that
            `shakegen evaluate` prints for a model of words.

    Raises:
        ValueError: there is none, or one is not such an evaluation; the message says which.
    """
    if not evaluations:
        raise ValueError("there are no evaluations to draw: expected one or more")
    rows = {name: rows_of(name, evaluation) for name, evaluation in evaluations.items()}
    panels = []
    for k, title in TOP.items():
        curves = [
            Curve(name, [row["typed"] for row in found], [share_of(row[f"top_{k}"]) for row in found])
            for name, found in rows.items()
        ]
        panels.append(Panel("characters typed", "accuracy", curves, title=title))
    return Figure("Accuracy by characters typed", panels)


def rows_of(name: str, evaluation) -> list[dict]:
    rows = evaluation.get("by_characters_typed") if isinstance(evaluation, dict) else None
    keys = {"typed", *(f"top_{k}" for k in TOP)}
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) and keys <= set(row) for row in rows):
        raise ValueError(
            f"{name} is no evaluation of a model of words: expected what `shakegen evaluate MODEL CORPUS --json` prints"
        )
    if not all(type(row[key]) in (int, float, type(None)) for row in rows for key in keys):
        raise ValueError(f"{name} has other than numbers in it: expected what `shakegen evaluate --json` prints")
    return rows


def share_of(value: float | None) -> float:
    return math.nan if value is None else value
