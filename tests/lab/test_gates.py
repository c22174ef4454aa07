"""Units along a text: features, who follows them, and how it is shown."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from mistakes import fails

from shakegen.cli.experiments import pick_colour, print_units
from shakegen.cli.group import colour_symbol
from shakegen.lab import features, gates
from shakegen.network.config import Config
from shakegen.plotting import page
from shakegen.plotting.page import script_json


def marked(feature, text):
    """The characters of a text after which a feature is there."""
    return "".join(c if on else "." for c, on in zip(text, features.FEATURES[feature](text), strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a "bc" d "e"', '.."bc...."e.'),
        ('a “b "c” d', '..“b "c...'),
        ("«a» „b“ c", "«a..„b..."),
        ('a "b\n\nc "d" e', '.."b\n..."d...'),
    ],
)
def test_quotations(text, expected):
    assert marked("quote", text) == expected


def test_brackets():
    assert marked("bracket", "a (b [c) d] e) f )g(") == "..(b [c) d] e......("


def test_positions_in_the_line():
    assert features.line_position("ab\n\ncde").tolist() == [1, 2, 0, 0, 1, 2, 3]


def test_features_of_words_stand_at_their_ends():
    assert features.compute_feature("bracket", ["a", " ", "(b", " ", "c)", " d"]).tolist() == [0, 0, 1, 1, 0, 0]


def test_correlations_are_pearsons(rng):
    signals, feature = rng.normal(size=(300, 4)), rng.normal(size=300)
    signals[:, 1] = 3 - 2 * feature
    signals[:, 2] = 7
    found = features.correlations(signals, feature)
    expected = [np.corrcoef(signals[:, k], feature)[0, 1] for k in (0, 1, 3)]
    np.testing.assert_allclose(found, [expected[0], -1, 0, expected[2]], atol=1e-12)


def test_what_units_tell_together_is_measured_where_it_was_not_fitted(rng):
    signals = rng.normal(size=(2000, 6))
    mixed = signals @ rng.normal(size=6) + 5
    assert features.combined_correlation(signals, mixed) == pytest.approx(1, abs=1e-3)
    turned = np.where(np.arange(2000) < 1000, mixed, -mixed)
    assert features.combined_correlation(signals, turned) == pytest.approx(-1, abs=1e-3)
    assert abs(features.combined_correlation(signals, rng.normal(size=2000))) < 0.15
    assert features.combined_correlation(signals, np.repeat([0.0, 1.0], 1000)) == 0
    few, many = rng.normal(size=40), rng.normal(size=(40, 200))
    assert abs(features.combined_correlation(many, few)) < 0.7


def test_what_chance_gives_is_exceeded_once_in_twenty_times(rng):
    exceeded = []
    for number in range(200):
        signals, feature = rng.normal(size=(100, 5)), rng.normal(size=100)
        best = np.abs(features.correlations(signals, feature)).max()
        exceeded.append(best > features.chance(signals, feature, number))
    assert 1 / 20 / 3 < np.mean(exceeded) < 3 / 20


@pytest.fixture
def counter(random_weights):
    """A network whose third unit of layer 1 is near 1 inside brackets, near -1 outside; nothing else is clear."""
    from shakegen.model import LanguageModel
    from shakegen.text.vocabulary import Vocabulary

    vocabulary, config = Vocabulary("abc ()\n"), Config("rnn", units=4, layers=2, residual=False)
    weights = {name: weight * 0.1 for name, weight in random_weights(config, len(vocabulary)).items()}
    weights["layer1/kernel"][:, 2] = weights["layer1/recurrent_kernel"][:, 2] = 0
    for character, push in (("(", 6), (")", -6)):
        weights["layer1/kernel"][vocabulary.encode(character)[0], 2] = push
    weights["layer1/recurrent_kernel"][2] = weights["layer2/kernel"][2] = 0
    weights["layer1/recurrent_kernel"][2, 2] = 3
    weights["layer1/bias"][2] = 0
    return LanguageModel(config, vocabulary, weights)


LENGTHS = np.random.default_rng(8).integers(1, 9, size=(40, 2))
TEXT = "".join(")" + "ab c\n a "[:outside] + "(" + "c ab\nbc "[:inside] for outside, inside in LENGTHS)


def test_the_unit_that_follows_a_feature_is_found(counter):
    ids = counter.vocabulary.encode(TEXT)
    found = gates.gates(counter, ids, find="bracket", count=2, shown=9)
    first, second = found.rows
    assert (first["layer"], first["unit"], first["signal"]) == (1, 3, "h")
    assert first["correlation"] > 0.97 > abs(second["correlation"])
    assert first["correlation"] > found.by_chance
    assert found.together > 0.97
    assert (found.begin, "".join(found.characters)) == (0, TEXT[:9])
    whole = counter.engine.activations(ids)
    np.testing.assert_allclose(found.traces[0]["values"]["h"], whole[0]["h"][:9, 2], atol=1e-6)
    assert found.gates == []


def test_the_part_shown_begins_a_little_before_the_feature(counter):
    ids = counter.vocabulary.encode(")" + "ab c" * 50 + "(a)")
    found = gates.gates(counter, ids, find="bracket", count=1, shown=80)
    assert found.begin == 201 - gates.BEFORE
    assert "".join(found.characters).endswith("(a)")
    whole = counter.engine.activations(ids)
    np.testing.assert_allclose(found.traces[0]["values"]["h"], whole[0]["h"][found.begin :, 2], atol=1e-5)


def test_gates_and_memories_of_cells_in_blocks_are_seen(random_model):
    model = random_model(Config("lstm", units=6, layers=2, convolution=3, mlp=1))
    found = gates.gates(model, model.vocabulary.encode("the quick brown fox jumps"), count=2)
    assert {row["signal"] for row in found.rows} == {"c"}
    assert {row["gate"] for row in found.gates} == {"i", "f", "o"}


def test_units_that_are_named_and_units_that_vary_most(random_model):
    model = random_model(Config("nlstm", units=6, layers=2))
    ids = model.vocabulary.encode("the quick brown fox jumps")
    whole = model.engine.activations(ids)
    named = gates.gates(model, ids, layer=2, units=[5, 1], signal="f1")
    assert [(row["layer"], row["unit"], row["signal"]) for row in named.rows] == [(2, 5, "f1"), (2, 1, "f1")]
    assert named.rows[0]["mean"] == pytest.approx(whole[1]["f1"][:, 4].mean())
    assert set(named.traces[0]["values"]) == {f"{name}{level}" for name in "ifogc" for level in (0, 1)} | {"h"}
    varied = gates.gates(model, ids, count=3)
    assert {row["signal"] for row in varied.rows} <= {"c0", "c1"}
    deviations = [np.tanh(layer[name]).std(axis=0) for layer in whole for name in ("c0", "c1")]
    np.testing.assert_allclose([row["deviation"] for row in varied.rows], np.sort(np.ravel(deviations))[:-4:-1])
    (of_forget,) = [row for row in varied.gates if (row["layer"], row["gate"]) == (1, "f0")]
    assert of_forget["mean"] == pytest.approx(whole[0]["f0"].mean())
    assert of_forget["open"] == np.mean(whole[0]["f0"] > 0.9)


def test_units_come_in_any_collection_but_an_empty_one(random_model):
    model = random_model(Config("lstm", units=6))
    ids = model.vocabulary.encode("the quick brown fox")
    for units in (np.array([5, 1]), iter([5, 1])):
        assert [row["unit"] for row in gates.gates(model, ids, units=units).rows] == [5, 1]
    with pytest.raises(ValueError, match=r"^no unit is named: expected one or more, or leave `units` out$"):
        gates.gates(model, ids, units=[])


@pytest.mark.parametrize(("signal", "limits"), [("i", (0, 1)), ("c", (-1, 1))])
def test_the_colours_of_a_figure_go_from_closed_to_open(random_model, signal, limits):
    model = random_model(Config("lstm", units=6))
    found = gates.gates(model, model.vocabulary.encode("the quick brown fox"), units=[2], signal=signal)
    (panel,) = found.figure().panels
    assert panel.heat.range == limits
    values = np.array(found.traces[0]["values"][signal])
    np.testing.assert_allclose(panel.heat.values[0], values if signal == "i" else np.tanh(values), atol=1e-6)


def test_shades_go_from_low_to_high():
    assert gates.shades([0, 0.5, 1], "gate").tolist() == [-1, 0, 1]
    np.testing.assert_allclose(gates.shades([-9, 0, 0.5], "memory"), np.tanh([-9, 0, 0.5]))
    assert gates.shades([-4, 2], "value").tolist() == [-1, 0.5]


def test_in_a_terminal_a_text_keeps_its_lines_and_gets_colours():
    coloured = [colour_symbol(character, pick_colour(shade)) for character, shade in zip("a\nbc", (0.1, 1, -1, 0.3))]
    black = "\x1b[38;5;16m"
    assert coloured[:2] == ["a", f"{black}\x1b[48;5;202m↵\x1b[0m\n"]
    assert coloured[2:] == [f"{black}\x1b[48;5;27mb\x1b[0m", f"{black}\x1b[48;5;223mc\x1b[0m"]


def test_the_command_colours_the_text_of_every_unit(counter, capsys, monkeypatch):
    found = gates.gates(counter, counter.vocabulary.encode(TEXT), layer=1, units=[3, 1], shown=20)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_units(found)
    first, second = capsys.readouterr().out.split("\nh of unit ")[1:]
    assert first.startswith("3 in layer 1\n")
    assert second.startswith("1 in layer 1\n")
    assert re.sub("\x1b.*?m", "", first).splitlines()[1] == TEXT[:20].splitlines()[0] + "↵"
    monkeypatch.setenv("NO_COLOR", "1")
    print_units(found)
    assert capsys.readouterr().out == ""


def test_the_page_holds_the_text_and_every_value(counter):
    found = gates.gates(counter, counter.vocabulary.encode(TEXT), find="bracket", count=1, shown=30)
    written = page("units", *found.parts)
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', written, re.DOTALL)[1])
    assert "".join(data["characters"]) == TEXT[:30]
    (unit,) = data["units"]
    shades = np.frombuffer(base64.b64decode(unit["shades"]["h"]), np.int8) / 127
    np.testing.assert_allclose(shades, found.traces[0]["values"]["h"], atol=0.5 / 127 + 1e-6)
    np.testing.assert_allclose(unit["values"]["h"], found.traces[0]["values"]["h"], atol=0.0006)
    for part in ("http:", "https:", "@import", "src="):
        assert part not in written


def test_the_command(shakegen, random_model, tmp_path):
    model = random_model(Config("lstm", units=5, layers=1))
    model.save(tmp_path / "model.h5")
    given = ("lab", "gates", "model.h5", "the quick\nbrown é", "--on-unknown", "skip", "--units", "3", "--shown", "9")
    shown = shakegen(*given, "--out", "units.html")
    assert (shown.exit_code, shown.stderr) == (0, "Saved: units.html\n")
    assert shown.stdout.splitlines()[0].split() == ["layer", "unit", "signal", "mean", "deviation"]
    assert '["t","h","e"," ","q"' in (tmp_path / "units.html").read_text(encoding="utf-8")
    assert shakegen(*given, "--out", "units.svg").exit_code == 0
    assert (tmp_path / "units.svg").read_text(encoding="utf-8").startswith("<?xml")
    found = json.loads(shakegen(*given[:3], "-", "--units", "3", "--json", input="the quick\n").stdout)
    assert "".join(found["characters"]) == "the quick"
    assert set(found["traces"][0]["values"]) == set("ifogch")


BAD = {
    "expected either a TEXT or a --text-file: give one of them": (),
    "the model never saw '\\n' (U+000A): use characters of its training text, or skip the unknown ones (--on-unknown "
    "skip)": ("a\nb",),
    "the feature quote is the same all along the text: try another text, or a longer one": ("abc", "--find", "quote"),
    "there is no layer 3: expected one from 1 to 2": ("abc", "--layer", "3"),
    "there is no unit 13: expected one from 1 to 12": ("abc", "--units", "13"),
    "a unit of this gru has no 'c': expected one of h, z, r, g": ("abc", "--signal", "c"),
    "the length is 0: expected 1 character or more": ("abc", "--length", "0"),
    "the text has 1 symbols: expected 2 or more": ("a",),
    "0 units along 400 characters are asked for: expected 1 or more of each": ("abc", "--count", "0"),
    "the units given are 'x': expected whole numbers such as 10,20,40": ("abc", "--units", "x"),
    "cannot draw units.txt: expected a name that ends in .png, .svg, .pdf or .html": ("abc", "--out", "units.txt"),
}


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, random_model, tmp_path, message, arguments):
    random_model().save(tmp_path / "model.h5")
    result = shakegen("lab", "gates", "model.h5", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


def test_the_text_that_is_read_is_not_overwritten(shakegen, random_model):
    random_model().save("model.h5")
    Path("text.html").write_text("abc")
    reads = (
        ("gates", "model.h5", "--text-file", "text.html"),
        ("cloze", "text.html"),
        ("gradients", "--corpus", "text.html"),
    )
    for words in reads:
        result = shakegen("lab", *words, "--out", "text.html")
        assert fails(result, "text.html is read, it would be overwritten: name another file with --out")
    assert Path("text.html").read_text() == "abc"


@pytest.mark.parametrize("kind", ["gate", "memory", "value"])
def test_what_is_no_number_has_no_colour(kind):
    found = gates.shades([None, 0.25, *[float("inf"), -4.0] * (kind != "gate")], kind)
    assert found[0] == 0
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1


def test_pages_hold_no_nan():
    written = script_json({"a": [1.0, float("nan"), float("inf")], "<": np.float32(2)})
    assert written == '{"a":[1.0,null,null],"\\u003c":2.0}'
