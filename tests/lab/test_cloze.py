"""Gaps in a text, filled from one side or from both."""

import json
import math

import numpy as np
import pytest

from shakegen.cells import BUILT_IN
from shakegen.lab import cells
from shakegen.lab.cloze import cloze, cloze_network, cut_gaps, draw_gaps, score
from shakegen.lab.repeats import Estimate
from shakegen.text.corpus import Corpus

V, CONTEXT = 7, 4


def test_what_stands_around_a_gap():
    text = np.arange(100, 150)
    around, middle = cut_gaps(text, np.array([0, 30, 41]), CONTEXT)
    assert middle.tolist() == [104, 134, 145]
    assert around[1].tolist() == [130, 131, 132, 133, 135, 136, 137, 138]
    assert around.shape == (3, 2 * CONTEXT)
    drawn = [middle for _, (_, middle) in zip(range(200), draw_gaps(text, CONTEXT, 5, random_state=0))]
    assert set(np.ravel(drawn)) == set(range(104, 146))


@pytest.fixture(scope="module")
def both():
    return cloze_network(cells.make_config("gru", 5), V, CONTEXT, bidirectional=True)


def logits(network, around):
    return np.asarray(network(around))


def changed(network):
    """Which of the characters around a gap make a difference."""
    around = np.random.default_rng(0).integers(V, size=(1, 2 * CONTEXT))
    others = np.where(np.eye(2 * CONTEXT, dtype=bool), (around + 1) % V, around)
    return (np.abs(logits(network, others) - logits(network, around)).max(axis=1) > 1e-6).tolist()


def test_a_forward_network_reads_what_comes_before_and_a_bidirectional_one_all(both):
    forward = cloze_network(cells.make_config("gru", 5), V, CONTEXT, bidirectional=False)
    assert changed(forward) == [True] * CONTEXT + [False] * CONTEXT
    assert changed(both) == [True] * 2 * CONTEXT


def test_the_second_layer_reads_backwards(both, rng):
    """With the layers' weights exchanged, a mirrored text gives the same."""
    around = rng.integers(V, size=(6, 2 * CONTEXT))
    before = logits(both, around)
    names = [layer.name for layer in both.layers if layer.get_weights()]
    assert names[:2] == ["before", "after"]
    first, second, dense = (both.get_layer(name) for name in names)
    of_first, of_second, (kernel, bias) = first.get_weights(), second.get_weights(), dense.get_weights()
    first.set_weights(of_second)
    second.set_weights(of_first)
    dense.set_weights([np.roll(kernel, 5, axis=0), bias])
    np.testing.assert_allclose(logits(both, around[:, ::-1]), before, atol=1e-6)


def test_scores():
    assert score(np.zeros((5, 8)), np.arange(5))["bits_per_gap"] == pytest.approx(3)
    assert score(100 * np.eye(4), np.arange(4)) == {"bits_per_gap": pytest.approx(0), "accuracy": 1}
    assert score(100 * np.eye(4), np.array([0, 1, 3, 2]))["accuracy"] == 0.5
    assert score(100 * np.eye(4), np.arange(4), unknown=3)["accuracy"] == 0.75
    diverged = score(np.full((2, 4), np.nan), np.arange(2))
    assert [math.isnan(value) for value in diverged.values()] == [True, True]


def test_unknown_directions_are_refused(poem):
    with pytest.raises(ValueError, match=r"^there is no direction 'backward' in the lab: expected some of forward, bi"):
        cloze(["rnn"], Corpus.from_text(poem), ["backward"])


def test_what_only_the_other_side_tells_is_learned_from_both_sides(rng):
    """Every letter is followed by its capital: between two pairs only what follows tells the letter."""
    corpus = Corpus.from_text("".join(letter + letter.upper() for letter in rng.choice(list("abcdefgh"), 2000)))
    found = cloze(["rnn"], corpus, context=2, updates=120, units=12, learning_rate=2e-2, gaps=500, repeats=1)
    forward, both = found.runs
    assert (forward["reads"], both["reads"]) == ("forward", "bidirectional")
    assert forward["bits_per_gap"] == pytest.approx(0.5 * math.log2(8), abs=0.3)
    assert both["bits_per_gap"] < 0.2
    assert both["accuracy"] > 0.97
    assert both["parameters"] > forward["parameters"]
    assert len(found.losses[0]["losses"]) == 120
    assert found.rows[0]["bits_per_gap"].mean == forward["bits_per_gap"]
    assert [panel.groups for panel in found.figure().panels] == [["rnn"], ["rnn"]]


def test_the_command(shakegen, poem_file):
    options = (poem_file, "--cells", "rnn", "--updates", 2, "--units", 4, "--context", 3, "--forward")
    options += ("--repeats", 2)
    shown = shakegen("lab", "cloze", *options)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].split("  ")[:2] == ["cell", "reads"]
    found = json.loads(shakegen("lab", "cloze", *options, "--json").stdout)
    assert [row["reads"] for row in found["rows"]] == ["forward"]
    assert [run["random_state"] for run in found["runs"]] == [0, 1]
    bits = found["rows"][0]["bits_per_gap"]
    assert bits["values"] == [run["bits_per_gap"] for run in found["runs"]]
    assert str(Estimate(**bits)) in shown.stdout.splitlines()[1]


BAD = {
    "the validation text has 121 symbols, but a gap with 80 on each side needs 161: try a longer text or a smaller "
    "--context": ("--context", "80"),
    "context is 0: expected 1 or more": ("--context", "0"),
    f"there is no cell 'cnn': expected one of {', '.join(BUILT_IN)}, or module:Class for one of your own": (
        "--cells",
        "cnn",
    ),
}


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, poem_file, message, arguments):
    result = shakegen("lab", "cloze", poem_file, *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")
