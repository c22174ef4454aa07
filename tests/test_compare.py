"""Comparisons: what is held equal, what is kept of runs, what comes of them."""

import csv
import io
import itertools
import json
import re
import statistics
import sys
from dataclasses import replace

import filelock
import numpy as np
import pytest

from shakegen.compare import report, runs
from shakegen.compare.comparison import Comparison
from shakegen.compare.matching import matched, weights_of
from shakegen.compare.plan import Entry, Plan
from shakegen.compare.record import Record
from shakegen.compare.summary import Row, Summary
from shakegen.compare.table import columns, compact, fitting
from shakegen.compare.tasks import BY_NAME, Text
from shakegen.config import Config
from shakegen.recipe import Recipe
from shakegen.text import Corpus

ALL = "rnn", "lstm", "gru", "nlstm"


def entries(*texts):
    return tuple(map(Entry.parse, texts))


def plan(*cells, **changes):
    return Plan(**{"entries": entries(*cells), "recipe": Recipe(epochs=1), "repeats": 1, **changes})


def by_characters(config):
    return weights_of(config, 27)


def test_an_entry_has_settings_of_its_own():
    entry = Entry.parse(" nlstm:depth=3:learning-rate=1e-3:residual=true ")
    assert entry.settings == {"depth": 3, "learning_rate": 0.001, "residual": True}
    assert entry.name == "nlstm:depth=3:learning_rate=0.001:residual=true"
    assert Entry.parse(entry.name) == entry
    (run,) = Plan((entry,), Recipe(random_state=4), repeats=1, settings={"units": 5, "layers": 2}).runs(by_characters)
    assert run.config == Config("nlstm", 5, 2, 3, residual=True)
    assert run.recipe == Recipe(random_state=4, learning_rate=0.001)


def test_names_of_files_are_plain_and_different():
    found = [Entry.parse(text).file_name for text in ("gru", "gru:units=3", "gru:dropout=0.5", "gru:layers=2:units=3")]
    assert found == ["gru", "gru-units3", "gru-dropout0.5", "gru-layers2-units3"]


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "cnn": "there is no cell 'cnn': expected some of rnn, lstm, gru, nlstm",
        "gru:size=3": "a cell cannot have 'size=3' of its own: expected NAME=VALUE, the name one of units, layers, "
        "depth, embedding, activation, reset_after, learn_initial_state, residual, variational_dropout, dropout, "
        "learning_rate",
        "gru:units": "a cell cannot have 'units' of its own: expected NAME=VALUE, the name one of units, layers, "
        "depth, embedding, activation, reset_after, learn_initial_state, residual, variational_dropout, dropout, "
        "learning_rate",
        "gru:layers=x": "layers is 'x': expected a whole number",
        "gru:dropout=x": "dropout is 'x': expected a number",
        "gru:residual=1": "residual is '1': expected true or false",
    }.items(),
)
def test_what_is_no_entry_is_refused(text, message):
    with pytest.raises(ValueError) as error:
        Entry.parse(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("cells", "changes", "message"),
    [
        ((), {}, "there is nothing to compare: expected cells such as rnn,lstm,gru,nlstm"),
        (("gru", "gru"), {}, "gru is there twice: expected each cell once, or with different settings"),
        (("gru",), {"repeats": 0}, "the number of repeats is 0: expected a whole number from 1 to 4294967296"),
        (("gru",), {"match": "size"}, "there is no match 'size': expected one of units, parameters, time"),
        (("gru",), {"match": "time"}, "to match time is to hold the minutes equal: expected --minutes, not --epochs"),
        (
            ("gru", "lstm:units=3"),
            {},
            "lstm:units=3 has units of its own, but units are to be equal: leave them out",
        ),
        (
            ("gru",),
            {"parameters": 100},
            "a number of parameters is given, but units is to be equal: leave out one of them",
        ),
        (
            ("gru",),
            {"match": "parameters", "parameters": 100, "settings": {"units": 3}},
            "units and parameters are both given: expected one of them, the other follows",
        ),
        (
            ("gru",),
            {"match": "parameters", "parameters": 0},
            "the number of parameters is 0: expected a whole number above 0",
        ),
        (
            ("gru",),
            {"task": "autocomplete", "recipe": Recipe(stateful=True)},
            "stateful streams are for the next character: leave them out for the task autocomplete",
        ),
        (("gru:depth=2",), {}, "depth is 2, but the cell is gru: it is for nlstm only"),
        (("gru",), {"task": "x"}, "there is no task 'x': expected one of next, autocomplete"),
    ],
)
def test_what_contradicts_itself_is_refused(cells, changes, message):
    with pytest.raises(ValueError) as error:
        plan(*cells, **changes)
    assert str(error.value) == message


def test_all_have_the_same_recipe_and_the_repeats_other_random_states():
    found = plan(*ALL, repeats=3, recipe=Recipe(random_state=7), settings={"units": 9, "depth": 3}).runs(by_characters)
    assert [run.name for run in found] == [f"{cell}-{repeat}" for repeat in range(3) for cell in ALL]
    for run in found:
        assert run.recipe == Recipe(random_state=7 + run.repeat)
        assert run.config == Config(run.entry.cell, 9, depth=3 if run.entry.cell == "nlstm" else 0)


@pytest.mark.parametrize("task", BY_NAME)
def test_numbers_of_weights_are_matched_for_every_cell_layers_and_depth(task):
    def count(config):
        return weights_of(config, 27, 1002 if task == "autocomplete" else 27)

    for layers, depth, units in itertools.product((1, 2, 3), (1, 2, 4), (200, 391)):
        cells = ("lstm", "rnn", "gru", f"nlstm:depth={depth}", "gru:reset-after=false", "rnn:activation=relu")
        settings = {"units": units, "layers": layers}
        found = plan(*cells, match="parameters", settings=settings, task=task).configs(count)
        counts = [count(config) for config in found.values()]
        wanted = plan("lstm", settings=settings, task=task).configs(count)["lstm"]
        assert max(counts) <= 1.01 * min(counts)
        assert abs(count(wanted) / counts[0] - 1) <= 0.1
        assert [config.layers for config in found.values()] == [layers] * len(cells)
        assert [config.depth for config in found.values()] == [0, 0, 0, depth, 0, 0]


def test_weights_are_counted_as_the_network_has_them(random_model):
    for config in (Config("gru", 5, 2), Config("nlstm", 4, depth=3, embedding=3), Config("lstm", 6)):
        assert weights_of(config, 27) == random_model(config).parameters


def test_a_given_number_of_weights_is_met_and_an_impossible_one_refused():
    found = plan(*ALL, match="parameters", parameters=200_000).configs(by_characters)
    assert all(abs(by_characters(config) / 200_000 - 1) < 0.11 for config in found.values())
    with pytest.raises(ValueError) as error:
        plan("gru", "lstm", match="parameters", parameters=500).configs(by_characters)
    assert str(error.value) == (
        "no networks of about 500 weights have the same number within 1%: the nearest have gru 468, lstm 564; larger "
        "ones come nearer, try more --units or --parameters"
    )


def test_of_all_matches_the_nearest_to_what_was_asked_for_is_taken():
    def count(config):
        return config.units * config.embedding

    families = {step: lambda units, step=step: Config("rnn", units, embedding=step) for step in (70, 100)}
    possible = [
        (one, other)
        for one in range(70, 3000, 70)
        for other in range(100, 3000, 100)
        if max(one, other) <= 1.01 * min(one, other)
    ]
    for weights in (1300, 1400, 1990):
        found = tuple(count(config) for config in matched(families, weights, count).values())
        assert found in possible
        assert min(abs(n - weights) for n in found) == min(abs(n - weights) for pair in possible for n in pair)


# What is kept of runs


def records(tmp_path, *cells, **changes):
    of = plan(*cells, **changes)
    corpus = {"sha256": "0", "split": [0.9, 0.05, 0.05], "symbols": 27}
    text = {"places": ["a.txt"], "reading": {}, "shape": {"split": [0.9, 0.05, 0.05]}}
    return [Record.of(run, text, corpus, {"seed": None, "length": 9}) for run in of.runs(by_characters)]


def test_a_record_comes_back_from_its_file(tmp_path):
    (record,) = records(tmp_path, "gru")
    ended = replace(record, state="diverged", reason="why", figures={"parameters": 3})
    ended.write(tmp_path)
    assert Record.read(ended.path(tmp_path)) == ended
    assert (ended.ended, record.ended, replace(record, state="failed").ended) == (True, False, False)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "x"}', '{"format": "shakegen comparison run"}'])
def test_what_is_no_record_is_refused(tmp_path, content):
    path = tmp_path / "gru-0.json"
    path.write_text(content)
    with pytest.raises(ValueError) as error:
        runs.carry_out(records(tmp_path, "gru"), tmp_path)
    assert str(error.value) == (f"{path} is not a run of a comparison: remove it, or name another folder with --runs")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"recipe": Recipe(epochs=2)}, "a run with epochs 1, not 2"),
        ({"settings": {"units": 3}}, "a run with units 256, not 3"),
        ({"recipe": Recipe(epochs=1, random_state=5)}, "a run with random state 0, not 5"),
    ],
)
def test_runs_of_another_comparison_are_not_overwritten(tmp_path, changes, what):
    (before,) = records(tmp_path, "gru")
    before.write(tmp_path)
    with pytest.raises(ValueError) as error:
        runs.carry_out(records(tmp_path, "lstm", "gru", **changes), tmp_path)
    assert str(error.value) == (
        f"{before.path(tmp_path)} is of {what}: name another folder with --runs, or remove this one"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gru-0.json", "lock"]


def test_another_text_is_told_apart(tmp_path):
    (before,) = records(tmp_path, "gru")
    replace(before, what=before.what | {"corpus": {"sha256": "1"}}).write(tmp_path)
    with pytest.raises(ValueError, match="is of a run on another text: "):
        runs.carry_out(records(tmp_path, "gru"), tmp_path)


def test_a_model_that_is_of_no_comparison_is_not_overwritten(tmp_path):
    (record,) = records(tmp_path, "gru")
    record.model(tmp_path).write_bytes(b"mine")
    with pytest.raises(ValueError) as error:
        runs.carry_out([record], tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'gru-0.h5'} is there already, but is no run of a comparison: name another folder with --runs, "
        "or remove it"
    )


def test_two_comparisons_do_not_work_in_one_folder(tmp_path):
    with filelock.FileLock(tmp_path / "lock"), pytest.raises(ValueError) as error:
        runs.carry_out(records(tmp_path, "gru"), tmp_path)
    assert str(error.value) == (
        f"another comparison is at work in {tmp_path}: wait for it, or name another folder with --runs"
    )


def test_what_has_ended_is_not_done_again(tmp_path):
    ended = [replace(one, state="finished", figures={"n": 1}) for one in records(tmp_path, *ALL, repeats=2)]
    for record in ended:
        record.write(tmp_path)
    told = []
    assert runs.carry_out(records(tmp_path, *ALL, repeats=2), tmp_path, lambda *of: told.append(of)) == ended
    assert told == []


def test_standard_input_is_kept_for_all_runs(tmp_path, monkeypatch, poem):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(poem.encode("utf-16")), "utf-8"))
    text = Text(["-"], {"encoding": "utf-16", "lowercase": True}, {"split": [0.8, 0.1, 0.1]})
    found = Comparison(text, plan("gru", settings={"units": 3}), tmp_path / "runs")
    again = BY_NAME["next"].load(found.text)
    assert again.sha256 == found.origin["sha256"] == Corpus.from_text(poem.lower()).sha256
    assert found.parameters == {"gru": weights_of(Config(units=3), len(again.vocabulary))}


def test_without_a_name_the_folder_is_called_after_the_text(tmp_path, monkeypatch, poem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poem.txt").write_text(poem)
    text = Text(["poem.txt"], {}, {"split": [0.8, 0.1, 0.1]})
    assert str(Comparison(text, plan("gru")).folder) == "models/compare-poem"
    with pytest.raises(ValueError) as error:
        Comparison(replace(text, shape={"split": [2429, 1, 0]}), plan("gru"))
    assert str(error.value) == (
        "poem has 2,430 characters, too few for the split 2429,1,0: its validation text has 1 characters, and 2 are "
        "needed to predict one from the other; try a longer text, or --split 1,0,0"
    )


# What comes of it


def finished(record, validation, test, steps=(10, 20), took=60.0, memory=2**30):
    history = [
        {"epoch": n, "loss": 2.0 / n, "validation_loss": 3.0 / n, "steps": step, "seconds": took * n / len(steps)}
        for n, step in enumerate(steps, 1)
    ]
    figures = {"validation": {"bits_per_character": validation, "accuracy": 0.5}, "history": history, "seconds": took}
    figures |= {"test": {"bits_per_character": test, "accuracy": 0.25}, "peak_memory_bytes": memory, "sample": "<b>oh"}
    figures |= {"training_characters_per_second": 12_345.0, "sampling_characters_per_second": 1_234_567.0}
    return replace(record, state="finished", figures=figures)


def outcome(tmp_path, **changes):
    """Two runs of a gru, one of an lstm and one that diverged, two of a network that failed."""
    of = plan("gru", "lstm", "rnn:dropout=0", repeats=2, settings={"units": 9})
    found = records(tmp_path, "gru", "lstm", "rnn:dropout=0", repeats=2, settings={"units": 9})
    found[0], found[3] = finished(found[0], 2.0, 2.5), finished(found[3], 2.1, 2.75, steps=(15, 25, 26), took=90.0)
    found[1] = finished(found[1], 3.0, 3.5, memory=None)
    found[4] = replace(found[4], state="diverged", reason="too fast")
    found[2], found[5] = (replace(found[n], state="failed", reason="out of memory") for n in (2, 5))
    rows = [
        Row(entry.name, Config(entry.cell, 9), 1234567, [found[n], found[n + 3]]) for n, entry in enumerate(of.entries)
    ]
    return Summary({"name": "abc", "length": 1000, "sha256": "0", "split": [0.9, 0.05, 0.05]}, of, rows)


def test_figures_are_means_and_standard_deviations_over_the_runs_that_finished(tmp_path):
    gru, lstm, rnn = outcome(tmp_path).rows
    found = gru.figures["test_bits_per_character"]
    assert (found.mean, found.spread) == (statistics.fmean([2.5, 2.75]), statistics.stdev([2.5, 2.75]))
    assert gru.figures["minutes"].values == (1.0, 1.5)
    assert gru.figures["peak_memory_mib"].values == (1024.0, 1024.0)
    assert (lstm.figures["validation_bits_per_character"].mean, lstm.figures["minutes"].spread) == (3.0, None)
    assert lstm.figures["peak_memory_mib"].mean is None
    assert rnn.figures["test_bits_per_character"].mean is None
    assert [row.failures for row in (gru, lstm, rnn)] == [
        [],
        ["1 of 2 diverged: too fast"],
        ["2 of 2 failed: out of memory"],
    ]


def test_the_table_has_a_row_for_each_and_says_which_failed(tmp_path):
    cells = {column.title: list(column.long) for column in columns(outcome(tmp_path))}
    assert cells["cell"] == ["gru", "lstm", "rnn:dropout=0"]
    assert cells["bits/char, validation"] == ["2.050 ±0.071", "3.000", "failed"]
    assert cells["bits/char, test"] == ["2.625 ±0.177", "3.500", "-"]
    assert cells["parameters"] == ["1,234,567"] * 3
    assert cells["characters/s, sampling"] == ["1,234,567", "1,234,567", "-"]
    assert cells["minutes"] == ["1.25", "1.00", "-"]
    assert cells["peak memory, MiB"] == ["1,024", "-", "-"]


def test_a_narrow_table_leaves_out_what_tells_least(tmp_path):
    every = columns(outcome(tmp_path))
    assert fitting(every, None) == (every, [])
    for width in range(1, 150):
        kept, left_out = fitting(every, width)
        assert sum(column.width + 2 for column in kept) - 2 <= width or len(kept) == 1
        assert sorted([*kept, *left_out], key=every.index) == every
        assert all(column.rank <= other.rank for column in kept for other in left_out)
    assert {"cell", "units", "weights", "valid.", "test"} <= {column.head for column in fitting(every, 80)[0]}


def test_numbers_in_short_keep_three_digits(rng):
    assert [compact(value) for value in (0, 640, 999.4, 999.6, 12_345, 99_949, 99_951, 1e6, 2.5e9, 3e12)] == [
        *("0", "640", "999", "1.00k", "12.3k", "99.9k", "100k", "1.00M", "2.50G", "3000G"),
    ]
    for value in 10 ** rng.uniform(2, 9, 200):
        shown = compact(value)
        number = float(shown.rstrip("kMG")) * {"k": 1e3, "M": 1e6, "G": 1e9}.get(shown[-1], 1)
        assert abs(number / value - 1) <= 0.0051
        assert len(shown) <= 5


def test_json_and_csv_have_all_numbers(tmp_path):
    summary = outcome(tmp_path)
    found = json.loads(json.dumps(summary.to_dict()))
    assert (found["match"], found["repeats"], found["epochs"]) == ("units", 2, 1)
    assert found["rows"][0]["figures"]["test_bits_per_character"]["values"] == [2.5, 2.75]
    assert [run["state"] for run in found["rows"][1]["runs"]] == ["finished", "diverged"]
    summary.save_csv(tmp_path / "table.csv")
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["gru", "lstm", "rnn:dropout=0"]
    assert float(rows[0]["test_bits_per_character_spread"]) == statistics.stdev([2.5, 2.75])
    assert (rows[1]["finished"], rows[1]["test_bits_per_character_spread"], rows[2]["minutes"]) == ("1", "", "")


def test_it_says_what_was_compared(tmp_path):
    summary = outcome(tmp_path)
    assert summary.describe() == (
        "Text: abc, 1,000 characters, split 0.9, 0.05, 0.05. The networks have the same number of units, and learn "
        "for 1 epoch each, with random states 0 to 1. Means ± standard deviations."
    )
    timed = replace(summary, plan=plan("gru", match="time", recipe=Recipe(minutes=2.5)))
    assert timed.describe().endswith(
        "The networks have the same time, and learn for 2.5 minutes each, with random state 0."
    )


def test_curves_of_equal_points_are_put_together_point_by_point():
    one, other = np.array([[1.0, 4], [2, 3]]), np.array([[1.5, 6], [3, 5]])
    x, y = report.together([one, other])
    assert (x.tolist(), y.tolist()) == ([1.25, 2.5], [[4, 3], [6, 5]])


def test_other_curves_are_read_where_all_are_and_at_their_ends(rng):
    lines = [(rng.normal(), rng.normal()) for _ in range(3)]
    counts = (5, 3, 4)
    xs = [np.sort(rng.uniform(0, 10, count)) for count in counts]
    x, y = report.together([np.stack([of, a + b * of], axis=1) for of, (a, b) in zip(xs, lines)])
    assert np.all(np.diff(x) > 0) or len(x) == 1
    inner = x[:-1]
    assert np.all(inner >= max(of[0] for of in xs))
    assert np.all(inner < min(of[-1] for of in xs))
    for row, of, (a, b) in zip(y, xs, lines):
        assert np.allclose(row, np.append(a + b * inner, a + b * of[-1]))


def test_the_curves_show_every_network_that_learned_against_steps_and_minutes(tmp_path):
    figure = report.curves(outcome(tmp_path))
    assert [panel.x_label for panel in figure.panels] == ["steps", "minutes"]
    for panel in figure.panels:
        assert [(curve.series, curve.label) for curve in panel.curves] == [
            (name, part) for part in ("validation", "training") for name in ("gru", "lstm")
        ]
        assert [curve.band is not None for curve in panel.curves] == [True, False, True, False]
    lstm = figure.panels[0].curves[1]
    assert list(lstm.x) == [10, 20]
    assert np.allclose(lstm.y, np.array([3.0, 1.5]) / np.log(2))


def test_the_page_has_the_table_the_curves_and_the_samples(tmp_path):
    report.save(outcome(tmp_path), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for shown in (
        "<td>2.625 ±0.177</td>",
        "lstm: 1 of 2 diverged: too fast",
        "Learning curves",
        "<pre>&lt;b&gt;oh</pre>",
    ):
        assert shown in page
    assert set(re.findall(r"https?://[^/]+", page)) <= {"http://www.w3.org"}  # names of SVG, which nothing fetches
    report.save(outcome(tmp_path), tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_bytes().startswith(b"<?xml")


def test_where_nothing_was_learned_there_is_a_page_and_no_image(tmp_path):
    summary = outcome(tmp_path)
    summary = replace(summary, rows=summary.rows[2:])
    report.save(summary, tmp_path / "report.html")
    assert "rnn:dropout=0: 2 of 2 failed: out of memory" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError) as error:
        report.save(summary, tmp_path / "curves.png")
    assert str(error.value) == (
        f"there are no curves for {tmp_path / 'curves.png'}: no run got as far as the end of an epoch"
    )
