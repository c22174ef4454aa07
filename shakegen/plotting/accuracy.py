"""How accuracy grows with each typed character of a word: the figure of the memory study (Madsen 2019)."""

import math
from collections.abc import Mapping

from shakegen.plotting.figure import Curve, Figure, Panel

TOP = {1: "the likeliest word", 2: "among the likeliest 2", 3: "among the likeliest 3"}


def accuracy_by_typing(evaluations: Mapping[str, dict]) -> Figure:
    """The shares of positions whose word is among the first suggestions of a model, by the number of characters typed.

    Args:
        evaluations: by the names of models: `autocomplete.measures.AutocompleteEvaluation.to_dict()`, or the JSON that
            `shakegen evaluate` prints for an autocomplete model.

    Raises:
        ValueError: there is no evaluation, or one has another form; the message says which.
    """
    if not evaluations:
        raise ValueError("there are no evaluations to draw: expected one or more")
    rows = {name: read_rows(name, evaluation) for name, evaluation in evaluations.items()}
    panels = []
    for k, title in TOP.items():
        curves = [
            Curve(
                name,
                [row["typed"] for row in table],
                [math.nan if (share := row[f"top_{k}"]) is None else share for row in table],
            )
            for name, table in rows.items()
        ]
        panels.append(Panel("characters typed", "accuracy", curves, title=title))
    return Figure("Accuracy by characters typed", panels)


def read_rows(name: str, evaluation) -> list[dict]:
    rows = evaluation.get("by_characters_typed") if isinstance(evaluation, dict) else None
    keys = {"typed", *(f"top_{k}" for k in TOP)}
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) and keys <= set(row) for row in rows):
        raise ValueError(
            f"{name} is no evaluation of an autocomplete model: expected the JSON of `shakegen evaluate --json`"
        )
    if not all(type(row[key]) in (int, float) or (row[key] is None and key != "typed") for row in rows for key in keys):
        raise ValueError(f"{name} has values that are not numbers: expected the JSON of `shakegen evaluate --json`")
    return rows
