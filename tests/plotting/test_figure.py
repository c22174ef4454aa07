"""Figures as data and in the terminal."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shakegen import plotting
from shakegen.plotting import Bars, Curve, Figure, Heat, Panel
from shakegen.plotting.axes import LETTER, wrap_title
from shakegen.plotting.canvas import BRAILLE
from shakegen.plotting.scale import Scale, format_error

finite = st.floats(-1e300, 1e300)


def figure(*curves, **options):
    return Figure("A figure", [Panel("x", "y", curves, **options)])


def dots(text: str) -> np.ndarray:
    """Where braille has dots, shape (4 · lines, 2 · columns)."""
    codes = np.array([[ord(sign) - 0x2800 if 0x2800 <= ord(sign) < 0x2900 else 0 for sign in line] for line in text])
    return np.block([[(codes[:, :, None, None] & BRAILLE > 0)]]).transpose(0, 2, 1, 3).reshape(4 * len(codes), -1)


def drawing(figure, **options) -> list[str]:
    """What is inside the axes."""
    lines = [re.search("[│┤](.*)", line) for line in plotting.text(figure, **options).splitlines()]
    return [line[1].ljust(80)[:80] for line in lines if line]


@given(finite, finite, st.integers(2, 12))
def test_ticks_are_round_and_on_the_axis(low, high, most):
    scale = Scale(*sorted((low, high)))
    assert scale.place([scale.low, scale.high]).tolist() == [0, 1]
    values = [value for value, _ in scale.ticks(most)]
    assert len(values) <= most + 1
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in scale.place(values))
    for step in np.diff(values)[:1]:
        digit = step / 10 ** math.floor(math.log10(step) + 1e-9)
        assert any(math.isclose(digit, whole, rel_tol=1e-6) for whole in (1, 2, 5, 10))


@pytest.mark.parametrize(
    ("low", "high", "texts"), [(0.5, 2000, ["1", "10", "100", "1000"]), (3e-9, 2e-7, ["1e-8", "1e-7"])]
)
def test_ticks_of_a_logarithmic_axis_are_powers_of_ten(low, high, texts):
    scale = Scale(low, high, logarithmic=True)
    assert [text for _, text in scale.ticks(6)] == texts
    assert np.isclose(scale.place(math.sqrt(low * high)), 0.5)


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=20), st.booleans(), st.booleans())
def test_any_numbers_can_be_drawn_within_the_width(points, unicode, dashed):
    x, y = zip(*points, strict=True)
    text = plotting.text(figure(Curve("a", x, y, mark=0, dashed=dashed)), 60, unicode=unicode)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert text.isascii() or unicode
    assert ("●" if unicode else "*") in text


def test_points_are_where_the_scale_says():
    rng = np.random.default_rng(0)
    curve = Curve("a", np.arange(30), rng.normal(size=30))
    found = dots(drawing(figure(curve), height=12))
    lines = plotting.text(figure(curve), height=12).splitlines()
    width = len(next(line for line in lines if "└" in line).split("└")[1])
    across = np.round(curve.x / 29 * (2 * width - 1)).astype(int)
    down = np.round((curve.y.max() - curve.y) / np.ptp(curve.y) * (4 * 12 - 1)).astype(int)
    assert found[down, across].all()
    assert found.any(axis=0)[: 2 * width].all()


def test_a_dashed_curve_is_part_of_the_full_one():
    x, y = np.arange(40), np.sin(np.arange(40) / 5)
    full, dashed = (dots(drawing(figure(Curve("a", x, y, dashed=broken)))) for broken in (False, True))
    assert not np.any(dashed & ~full)
    assert 0.3 < dashed.sum() / full.sum() < 0.7


def test_nan_leaves_a_gap():
    y = np.array([1.0, 1, np.nan, 1, 1])
    row = dots(drawing(figure(Curve("a", np.arange(5), y)))).any(axis=0)
    width = np.flatnonzero(row)[-1]
    assert row[: width // 4].all()
    assert not row[width // 4 + 2 : 3 * width // 4 - 2].any()
    assert row[3 * width // 4 + 1 : width].all()


def test_series_are_told_apart_by_letters_at_their_ends():
    low, high = Curve("low", [1, 2], [0, 0.0]), Curve("high", [1, 2], [1, 1.0], "training", dashed=True)
    for unicode in (True, False):
        lines = plotting.text(figure(low, high), unicode=unicode).splitlines()
        assert lines[1].endswith(" b")
        assert lines[16].endswith(" A")
        assert lines[-2:] == ["A low", "b high training"]
    assert "AAAA" in lines[16]
    assert "b b b" in lines[1]


def test_curves_that_end_in_one_place_keep_a_letter_each():
    text = plotting.text(figure(*(Curve(name, [1, 2], [0, 1]) for name in "uvw")))
    assert sorted(line[-1] for line in text.splitlines() if re.search(" [A-Z]$", line)) == ["A", "B", "C"]


def test_colours_add_only_escape_codes():
    drawn = figure(Curve("a", [1, 2, 3], [1, 3, 2], mark=1), Curve("b", [1, 2, 3], [2, 1, 2], dashed=True))
    plain, coloured = (plotting.text(drawn, colour=colour) for colour in (False, True))
    assert "\x1b[36m" in coloured
    assert "\x1b[33m" in coloured
    assert re.sub("\x1b\\[\\d+m", "", coloured) == plain


def test_what_a_logarithmic_axis_cannot_show_is_left_out():
    shown = plotting.text(figure(Curve("a", [1, 2, 3, 4], [1, 10, 0, -5.0]), log_y=True))
    assert shown == plotting.text(figure(Curve("a", [1, 2, 3, 4], [1, 10, np.nan, np.nan]), log_y=True))


@pytest.mark.parametrize("unicode", [True, False])
def test_bars_are_as_long_as_their_values(unicode):
    values = [4.0, 2.0, 1.0, math.nan]
    panel = Panel(
        "cell", "bits/char", bars=[Bars("test", values, [0.5, 0.1, 0.1, 0])], groups=["rnn", "gru", "lstm", "x"]
    )
    title, *lines = plotting.text(Figure("", [panel]), unicode=unicode).splitlines()
    assert title == "bits/char by cell"
    assert [line.split()[0] for line in lines] == ["rnn", "gru", "lstm"]
    assert [line.split()[2:] for line in lines] == [[f"{v:g}", "±" if unicode else "+-", f"{s:g}"]
                                                    for v, s in ((4, 0.5), (2, 0.1), (1, 0.1))]  # fmt: skip
    lengths = [len(line.split()[1]) for line in lines]
    assert abs(lengths[0] - 2 * lengths[1]) <= 1
    assert abs(lengths[0] - 4 * lengths[2]) <= 2


def test_bars_of_several_series_stand_in_groups():
    panel = Panel("cell", "loss", bars=[Bars("train", [1, 2]), Bars("test", [3, 4])], groups=["rnn", "gru"])
    lines = plotting.text(Figure("", [panel])).splitlines()
    assert [line.split()[0] for line in lines] == ["loss", "rnn", "train", "test", "gru", "train", "test"]


def test_heat_is_darker_where_values_are_higher():
    heat = Heat(np.add.outer(np.zeros(3), np.arange(8.0)), "weight", rows=["a", "b", "c"])
    lines = plotting.text(Figure("", [Panel("x", "unit", heat=heat)]), unicode=False).splitlines()
    shades = " .:-=+*#%@"
    for line in lines[1:17]:
        levels = [shades.index(sign) for sign in line[3:]]
        assert levels == sorted(levels)
        assert (levels[0], levels[-1]) == (0, 9)
    assert [line.split("+")[0].strip() for line in lines if line[1] in "abc"] == ["a", "b", "c"]
    assert lines[-1] == "0  .:-=+*#%@ 7  weight"


def test_a_heat_map_may_have_limits():
    heat = Heat([[0.4, 0.5]], "gate", limits=(0, 1))
    assert plotting.text(Figure("", [Panel("x", "y", heat=heat)]), unicode=False).endswith("0  .:-=+*#%@ 1  gate\n")


def test_a_heat_map_without_numbers_is_blank():
    drawn = drawing(Figure("", [Panel("x", "y", heat=Heat([[math.nan]]))]))
    assert set("".join(drawn)) == {" "}


def test_several_panels_have_titles_and_one_palette():
    curve = Curve("b", [1, 2], [1, 2])
    panels = [Panel("x", "y", [Curve("a", [1, 2], [1, 2])], title="one"), Panel("x", "y", [curve, curve], title="two")]
    drawn = Figure("Both", panels)
    assert drawn.series == ["a", "b"]
    lines = plotting.text(drawn).splitlines()
    assert (lines[0], lines[2]) == ("Both", "one")
    assert "two" in lines
    assert lines[-1] == "B b"


def test_the_numbers_are_json():
    curve = Curve("a", [1, 2], [0.5, math.nan], "test", mark=0, band=([0, 0], [1, math.inf]))
    panels = [Panel("x", "y", [curve]), Panel("x", "y", bars=[Bars("b", [1], [2])], groups=["g"])]
    panels.append(Panel("x", "y", heat=Heat(np.array([[1.0, math.nan]]), "h", columns=["p", "q"])))
    found = json.loads(json.dumps(Figure("F", panels).to_dict(), allow_nan=False))
    assert found["panels"][0]["curves"] == [
        {"series": "a", "label": "test", "x": [1, 2], "y": [0.5, None], "mark": {"x": 1, "y": 0.5},
         "low": [0, 0], "high": [1, None]}
    ]  # fmt: skip
    assert found["panels"][1]["groups"] == ["g"]
    assert found["panels"][1]["bars"] == [{"series": "b", "values": [1], "spread": [2]}]
    assert found["panels"][2]["heat"] == {"label": "h", "values": [[1, None]], "columns": ["p", "q"]}


BAD = {
    "the curve 'a b' has 2 x: expected as many of everything else": lambda: Curve("a", [1, 2], [1], "b"),
    "the curve 'a' has no point 2 to mark": lambda: Curve("a", [1, 2], [1, 2], mark=2),
    "the bars 'a' have 2 values: expected as many spreads": lambda: Bars("a", [1, 2], [1]),
    "the heat map has the shape (3,): expected rows and columns": lambda: Heat([1, 2, 3]),
    "the heat map has the shape (1, 2): expected as many names of rows and columns": lambda: Heat(
        [[1, 2]], columns="a"
    ),
    "the panel is empty: expected curves, bars or a heat map": lambda: Panel("x", "y"),
    "the panel has bars and something else: expected a panel for each": lambda: Panel(
        "x", "y", heat=Heat([[1]]), bars=[Bars("a", [1])], groups="a"
    ),
    "the panel has 1 groups of bars: expected as many bars of each series": lambda: Panel(
        "x", "y", bars=[Bars("a", [1, 2])], groups="a"
    ),
    "30 columns and 16 lines are too few for a figure: expected 40 and 4 or more": lambda: plotting.text(
        figure(Curve("a", [1], [1])), 30
    ),
}


@pytest.mark.parametrize(("message", "make"), BAD.items())
def test_what_cannot_be_drawn_is_refused(message, make):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [(2.34567, 0.0312, "2.35 ± 0.03"), (2.34567, 0.0213, "2.346 ± 0.021"), (2.34567, 0.996, "2.3 ± 1.0"),
     (2.34567, 0.0298, "2.35 ± 0.03"), (2.34567, 12, "2 ± 12"), (2.34567, None, "2.346"), (2.34567, 0.0, "2.346"),
     (1.5e9, 6.35e9, "1.5e9 ± 6.4e9")],
)  # fmt: skip
def test_a_figure_has_as_many_digits_as_its_error_allows(value, error, shown):
    assert format_error(value, error) == shown


def test_a_tiny_error_cuts_no_digits():
    assert format_error(0.512345, 5e-7, 3, "+") == "+0.512 ± 5e-7"
    assert format_error(3.2e-5, 2e-7) == "3.2e-5 ± 2e-7"
    assert format_error(1e-8, 1e-7, 3, "+") == "+1e-8 ± 1e-7"


def test_a_bar_without_a_spread_shows_none():
    bars = [Bars("a", [1.0, 2.0], spread=[0.5, math.nan])]
    lines = plotting.text(Figure("", [Panel("x", "y", bars=bars, groups=["p", "q"])]), unicode=False).splitlines()
    assert [line.split()[-1] for line in lines[1:3]] == ["0.5", "2"]


def test_long_titles_are_wrapped():
    panels = [Panel("x", "y", [Curve("a", [1, 2], [1, 2])]) for _ in range(2)]
    figure = Figure(f"the error {'of many runs ' * 10}", panels)
    assert max(map(len, plotting.text(figure, width=60).splitlines())) <= 60
    lines = wrap_title(figure.title, 4.5).splitlines()
    assert " ".join(lines) == figure.title.strip()
    assert max(map(len, lines)) * LETTER <= 4.5
