"""The figure of accuracies by characters typed, from evaluations that may come from anywhere."""

import math

import pytest

from shakegen.plotting import accuracy_by_typing

ROWS = [{"typed": k, "top_1": k / 4, "top_2": k / 3, "top_3": None} for k in range(3)]


def test_each_panel_has_the_shares_of_its_rank():
    panels = accuracy_by_typing({"a": {"by_characters_typed": ROWS}, "b": {"by_characters_typed": ROWS[:2]}}).panels
    assert [[curve.series for curve in panel.curves] for panel in panels] == [["a", "b"]] * 3
    assert panels[0].curves[0].x == [0, 1, 2]
    assert panels[0].curves[0].y == [0, 1 / 4, 2 / 4]
    assert panels[1].curves[1].y == [0, 1 / 3]
    assert all(map(math.isnan, panels[2].curves[0].y)), "no observations, no share"


NONE = "a is no evaluation of an autocomplete model: expected the JSON of `shakegen evaluate --json`"
TEXTS = "a has values that are not numbers: expected the JSON of `shakegen evaluate --json`"


@pytest.mark.parametrize(
    ("evaluations", "message"),
    [
        ({}, "there are no evaluations to draw: expected one or more"),
        ({"a": [1]}, NONE),
        ({"a": {"by_characters_typed": []}}, NONE),
        ({"a": {"by_characters_typed": [{"typed": 0}]}}, NONE),
        ({"a": {"by_characters_typed": [ROWS[0] | {"top_2": "many"}]}}, TEXTS),
        ({"a": {"by_characters_typed": [ROWS[0] | {"typed": True}]}}, TEXTS),
        ({"a": {"by_characters_typed": [ROWS[0] | {"typed": None}]}}, TEXTS),
    ],
)
def test_what_is_no_evaluation_is_one_line(evaluations, message):
    with pytest.raises(ValueError) as error:
        accuracy_by_typing(evaluations)
    assert str(error.value) == message
