"""`docs/reference/json.md` documents every key that a command prints with --json, and no other."""

import dataclasses
import importlib
import json
import re
from pathlib import Path

import pytest
from commands import LEAVES
from comparisons import finish, plan

from shakegen.cli import runs
from shakegen.compare.comparison import Comparison
from shakegen.compare.record import Text
from shakegen.lab.result import Result
from shakegen.model import load
from shakegen.text import splits
from shakegen.training.recipe import Recipe

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
SECTIONS = {
    name: set(re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))))
    for name, text in re.findall(r"^## (shakegen .*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
ALIASES = {"shakegen models show": "shakegen info"}
MODELS = ("char.h5", "word.h5", "autocomplete.h5")
CALLS = {
    "shakegen sample": [
        "-m char.h5 --length 5 --temperatures 0.5", "-m char.h5 --length 5 --beam-width 2",
        "-m char.h5 --require t --length 5 --particles 4",
    ],
    "shakegen complete": ["-m autocomplete.h5 lov"],
    "shakegen evaluate": [
        "char.h5 poem.txt --per-character", "word.h5 poem.txt", "subword.h5 poem.txt",
        "char.h5 poem.txt --mix ngram",
        "char.h5 poem.txt --windows 9 --draws 2", "char.h5 poem.txt --dynamic",
        "autocomplete.h5 poem.txt",
    ],
    "shakegen score": ["poem.txt -m char.h5", "poem.txt -m char.h5 -m word.h5", "poem.txt -m char.h5 --mix char.h5",
                       "poem.txt -m char.h5 --dynamic"],
    "shakegen novelty": ["char.h5 --corpus poem.txt --length 200"],
    "shakegen plot": ["char.h5"],
    "shakegen info": list(MODELS),
    "shakegen connectivity": ["-m autocomplete.h5 lovely", "-m char.h5 lovely"],
    "shakegen lab cliff": ["--starts 9 --steps 9"],
    "shakegen lab gates": ["char.h5 lovely", "char.h5 --text-file poem.txt --find line-position"],
    "shakegen corpora list": [""],
    "shakegen corpora show": ["poem.txt"],
    "shakegen models list": [""],
    "shakegen compare": [
        "poem.txt --cells gru --units 3 --repeats 1 --runs epochs --epochs 1",
        "poem.txt --cells gru,lstm --units 3 --repeats 1 --runs minutes --match time --minutes 1 "
        "--tune dropout=0,0.1",
    ],
}  # fmt: skip
TRAINS = ("cloze", "gradients", "memory", "start", "timer")  # experiments that would take too long here


def list_keys(value, path=""):
    """The paths of all values in an object: `rows[].name`."""
    if isinstance(value, dict):
        return {key for name, item in value.items() for key in list_keys(item, f"{path}.{name}".lstrip("."))}
    if isinstance(value, list):
        return {key for item in value for key in list_keys(item, f"{path}[]")} if value else {f"{path}[]"}
    return {path}


def covers(documented: str, key: str) -> bool:
    """Whether a documented key stands for a real one."""
    pattern = re.escape(documented).replace(r"\*", r"([^.]+|\.)").replace("…", ".*")  # one name may be a full stop
    return re.fullmatch(pattern, key, re.DOTALL) is not None


def check(name: str, keys: set[str]) -> None:
    """Assert that keys and documented keys are the same."""
    documented = SECTIONS[name]
    assert {key for key in keys if not any(covers(one, key) for one in documented)} == set()
    assert {one for one in documented if not any(covers(one, key) for key in keys)} == set()


def test_every_command_with_json_has_its_section():
    having = {name for name, one in LEAVES.items() if any(option.name == "as_json" for option in one.params)}
    assert set(SECTIONS) == having - set(ALIASES)
    assert having - set(ALIASES) == {*CALLS, "shakegen train", *(f"shakegen lab {name}" for name in TRAINS)}
    assert all(LEAVES[alias] is LEAVES[name] for alias, name in ALIASES.items())


def finish_comparisons(folder):
    """Write the runs of the comparisons above as if they had finished."""
    text = Text(["poem.txt"], {}, {"vocabulary_size": None, "split": splits.parse("0.9,0.05,0.05")})
    for budget, match in (("epochs", "units"), ("minutes", "time")):
        tune = None if match == "units" else ("dropout", (0.0, 0.1))
        cells = ("gru", "lstm")[: 1 + (tune is not None)]
        equal = plan(*cells, recipe=Recipe(**{budget: 1}), match=match, settings={"units": 3}, tune=tune)
        for record in Comparison(text, equal, folder / budget).records:
            finish(record).write(folder / budget)


@pytest.mark.parametrize("name", CALLS)
def test_a_command_prints_the_keys_that_its_section_has(shakegen, all_kinds, name):
    if name == "shakegen compare":
        finish_comparisons(all_kinds)
    keys = set()
    for call in CALLS[name]:
        result = shakegen(*name.split()[1:], *call.split(), "--json")
        assert (result.exit_code, result.stdout.count("\n")) == (0, 1), result.stderr
        keys |= list_keys(json.loads(result.stdout))
    check(name, keys)


def test_the_outcome_of_training_has_the_keys_of_its_section(all_kinds):
    keys = set()
    for name in MODELS:
        model = load(all_kinds / name)
        entry = {"steps": 3, "learning_rate": 0.1, "characters_per_second": 9.0}
        model.history[-1] |= entry
        keys |= list_keys(json.loads(json.dumps(runs.summarise(model, Path(name)))))
    check("shakegen train", keys)


@pytest.mark.parametrize("name", TRAINS)
def test_an_experiment_has_the_keys_of_its_section(name):
    module = importlib.import_module(f"shakegen.lab.{name}")
    (kind,) = (one for one in vars(module).values() if isinstance(one, type) and Result in one.__bases__)
    fields = {field.name for field in dataclasses.fields(kind)}
    assert {re.match(r"\w+", key)[0] for key in SECTIONS[f"shakegen lab {name}"]} == fields
