"""Comparisons: what is kept of runs, and not done again."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import filelock
import pytest
from comparisons import ALL, finish, plan, records

from shakegen.cells import Cell, Weight
from shakegen.compare import runs
from shakegen.compare.comparison import Comparison
from shakegen.compare.matching import count_weights
from shakegen.compare.record import Record, Text
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.training.recipe import Recipe
from shakegen.training.tasks import get_task


def test_a_record_comes_back_from_its_file(tmp_path):
    (record,) = records("gru")
    ended = replace(record, state="diverged", reason="why", figures={"parameters": 3})
    ended.write(tmp_path)
    assert Record.read(ended.path(tmp_path)) == ended
    assert (ended.has_ended, record.has_ended, replace(record, state="failed").has_ended) == (True, False, False)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "x"}', '{"format": "shakegen comparison run"}'])
def test_what_is_no_record_is_refused(tmp_path, content):
    path = tmp_path / "gru-0.json"
    path.write_text(content)
    with pytest.raises(ValueError) as error:
        runs.carry_out(records("gru"), tmp_path)
    assert str(error.value) == (f"{path} is not a run of a comparison: remove it, or name another folder with `runs`")


HOSTILE = [
    {"state": "won"}, {"name": 7}, {"reason": ["\x1b"]}, {"what": []}, {"what": {"corpus": 3}}, {"text": "a.txt"},
    {"sample": None}, {"figures": []}, {"figures": {}}, {"more": 1}, {"state": ["finished"]},
]  # fmt: skip
HOSTILE_FIGURES = [
    {"seconds": "3"}, {"seconds": None}, {"peak_memory_bytes": [1]}, {"validation": 3}, {"sample": 3},
    {"validation": {"bits_per_character": "2"}}, {"test": {"by_characters_typed": [{}]}}, {"history": 5},
    {"test": {"blocks": 3}}, {"test": {"blocks": {"accuracy": ["x"]}}},
    {"history": [{"epoch": 1}]}, {"test": {"by_characters_typed": [3]}}, {"training_characters_per_second": "x"},
    {"history": [{"epoch": 1, "loss": float("nan")}]},
]  # fmt: skip


@pytest.mark.parametrize("changes", [*HOSTILE, *({"figures": figures} for figures in HOSTILE_FIGURES)], ids=str)
def test_damaged_and_hostile_records_are_refused(tmp_path, changes):
    (record,) = map(finish, records("gru"))
    record.write(tmp_path)
    assert Record.read(record.path(tmp_path)) == record
    values = json.loads(record.path(tmp_path).read_text())
    if changes.get("figures"):
        changes = {"figures": values["figures"] | changes["figures"]}
    record.path(tmp_path).write_text(json.dumps(values | changes))
    with pytest.raises(ValueError) as error:
        runs.carry_out(records("gru"), tmp_path)
    path = record.path(tmp_path)
    assert str(error.value) == f"{path} is not a run of a comparison: remove it, or name another folder with `runs`"


def test_records_that_are_nested_too_deeply_are_refused(tmp_path):
    path = tmp_path / "gru-0.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="is not a run of a comparison: "):
        Record.read(path)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"recipe": Recipe(epochs=2)}, "a run with epochs 1, not 2"),
        ({"settings": {"units": 3}}, "a run with units 256, not 3"),
        ({"recipe": Recipe(epochs=1, random_state=5)}, "a run with random state 0, not 5"),
    ],
)
def test_runs_of_another_comparison_are_not_overwritten(tmp_path, changes, what):
    (before,) = records("gru")
    before.write(tmp_path)
    with pytest.raises(ValueError) as error:
        runs.carry_out(records("lstm", "gru", **changes), tmp_path)
    assert str(error.value) == (
        f"{before.path(tmp_path)} is of {what}: name another folder with `runs`, or remove this one"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gru-0.json", "lock"]


def test_another_text_is_told_apart(tmp_path):
    (before,) = records("gru")
    replace(before, what=before.what | {"corpus": {"sha256": "1"}}).write(tmp_path)
    with pytest.raises(ValueError, match="is of a run on another text: "):
        runs.carry_out(records("gru"), tmp_path)


class Draw:
    """An initializer whose repr has its address."""

    def __call__(self, rng, shape):
        return rng.normal(size=shape)


def define(factor=0.5, start=Draw, zones=("h",)):
    """A cell whose input stands beside a product, so an embedding must have the size of its state."""

    class Drifting(Cell):
        name, zoned = "drifting", zones

        def weights(self, inputs):
            return {"kernel": Weight((inputs, self.units), start())}

        def step(self, x, s, w):
            return {"h": factor * s.h + x @ w.kernel + x}


@pytest.mark.parametrize("changed", [{"factor": 0.25}, {"start": lambda: "zeros"}, {"zones": ()}])
def test_a_cell_whose_equations_changed_is_another_run(tmp_path, cells_as_they_were, changed):
    options = {"settings": {"units": 4, "embedding": 4, "layers": 1}}
    define()
    (before,) = map(finish, records("drifting:zoneout=0.1", **options))
    before.write(tmp_path)
    define()
    assert runs.carry_out(records("drifting:zoneout=0.1", **options), tmp_path) == [before]
    define(**changed)
    with pytest.raises(ValueError) as error:
        runs.carry_out(records("drifting:zoneout=0.1", **options), tmp_path)
    assert str(error.value) == (
        f"{before.path(tmp_path)} is of a cell with other equations: name another folder with `runs`, or remove this "
        "one"
    )


def test_a_model_that_is_of_no_comparison_is_not_overwritten(tmp_path):
    (record,) = records("gru")
    record.model(tmp_path).write_bytes(b"mine")
    with pytest.raises(ValueError) as error:
        runs.carry_out([record], tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'gru-0.h5'} is there already, but is no run of a comparison: name another folder with `runs`, "
        "or remove it"
    )


def test_two_comparisons_do_not_work_in_one_folder(tmp_path):
    with filelock.FileLock(tmp_path / "lock"), pytest.raises(ValueError) as error:
        runs.carry_out(records("gru"), tmp_path)
    assert str(error.value) == (
        f"another comparison is at work in {tmp_path}: wait for it, or name another folder with `runs`"
    )


def test_what_has_ended_is_not_done_again(tmp_path):
    ended = list(map(finish, records(*ALL, repeats=2)))
    for record in ended:
        record.write(tmp_path)
    told = []
    assert runs.carry_out(records(*ALL, repeats=2), tmp_path, lambda *of: told.append(of)) == ended
    assert told == []


def test_a_comparison_with_other_options_takes_the_next_folder(tmp_path, monkeypatch, poem_file):
    monkeypatch.chdir(tmp_path)
    text = Text([poem_file.name], {}, {"split": [0.8, 0.1, 0.1]})

    def compare(*cells, epochs=1):
        return Comparison(text, plan(*cells, recipe=Recipe(epochs=epochs)))

    for epochs, name in ((1, "compare-poem"), (2, "compare-poem-2"), (3, "compare-poem-3")):
        found = compare("gru", epochs=epochs)
        assert found.folder == Path("models") / name
        found.folder.mkdir(parents=True)
        finish(found.records[0]).write(found.folder)
    assert compare("gru", epochs=2).folder.name == "compare-poem-2"
    assert compare("lstm", epochs=2).folder.name == "compare-poem"
    assert compare("lstm", "gru", epochs=3).folder.name == "compare-poem-3"
    Path("models/compare-poem/gru-0.json").write_text("{}")
    with pytest.raises(ValueError, match=r"gru-0\.json is not a run of a comparison: remove it"):
        compare("gru", epochs=3)


def test_standard_input_is_kept_for_all_runs(tmp_path, monkeypatch, poem):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(poem.encode("utf-16")), "utf-8"))
    text = Text(["-"], {"encoding": "utf-16", "lowercase": True}, {"split": [0.8, 0.1, 0.1]})
    found = Comparison(text, plan("gru", settings={"units": 3}), tmp_path / "runs")
    again = found.text.load(get_task("next"))
    assert again.sha256 == found.origin["sha256"] == Corpus.from_text(poem.lower()).sha256
    weights = count_weights(Config(units=3), len(again.vocabulary))
    assert found.describe(found.records[0]) == f"gru, 3 units, {weights} weights, random state 0"


def test_without_a_name_the_folder_is_called_after_the_text(tmp_path, monkeypatch, poem_file):
    monkeypatch.chdir(tmp_path)
    text = Text([poem_file.name], {}, {"split": [0.8, 0.1, 0.1]})
    assert str(Comparison(text, plan("gru")).folder) == "models/compare-poem"
    assert not Path("models").exists()
    with pytest.raises(ValueError) as error:
        Comparison(replace(text, shape={"split": [2429, 1, 0]}), plan("gru"))
    assert str(error.value) == (
        "poem has 2,430 characters, too few for the split 2429,1,0: its validation text has 1 characters, and 2 are "
        "needed to predict one from the other; try a longer text, or `split=(1, 0, 0)`"
    )


def test_the_models_that_need_no_training_are_of_the_text_that_the_comparison_began_with(tmp_path, monkeypatch, poem):
    path = tmp_path / "poem.txt"
    path.write_text(poem, encoding="utf-8")
    text, measured = Text([str(path)], {}, {"split": [0.8, 0.1, 0.1]}), []
    found = Comparison(text, plan("gru", settings={"units": 3}), tmp_path / "runs")
    expected = get_task("next").score_baselines(Corpus.from_text(poem, split=(0.8, 0.1, 0.1)))

    def edit(listed, *_):
        path.write_text("another text", encoding="utf-8")
        measured.extend(map(finish, listed))
        return measured

    monkeypatch.setattr(runs, "carry_out", edit)
    baselines = found.carry_out().baselines
    assert [row.name for row in baselines] == list(expected) != []
