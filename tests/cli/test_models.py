"""Models by name from any folder, and the commands that list, show and locate them."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from mistakes import fails

import shakegen as package
from shakegen.model import load, shelf
from shakegen.model.model_file import Training
from shakegen.model.precision import shrink
from shakegen.network.config import Config


@pytest.mark.parametrize(
    "call",
    ["sample -m {} --seed shall --random-state 1 --length 9", "evaluate {} poem.txt --split all"],
)
def test_a_name_does_what_its_path_does(shakegen, poem_file, call):
    path = shelf.locate("sonnets-gru")
    named, by_path = (shakegen(*call.format(place).split()) for place in ("sonnets-gru", path))
    assert named.exit_code == 0
    assert (named.stdout, named.stderr) == (by_path.stdout, by_path.stderr)


def test_a_name_is_that_of_the_library_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named, by_path = package.load("sonnets-gru"), load(shelf.locate("sonnets-gru"))
    assert all(np.array_equal(named.weights[name], one) for name, one in by_path.weights.items())
    with pytest.raises(FileNotFoundError, match=r"^no model sonnets-gru: "):
        load(Path("sonnets-gru"))  # a Path is always a path
    with pytest.raises(FileNotFoundError, match=r"^no model \./sonnets-gru: "):
        load("./sonnets-gru")


def test_a_file_of_that_name_wins(shakegen, random_model):
    random_model().save("sonnets-gru")
    assert json.loads(shakegen("info", "sonnets-gru", "--json").stdout)["units"] == 12
    assert shakegen("models", "path", "sonnets-gru").stdout == "sonnets-gru\n"
    Path("sonnets-gru").unlink()
    Path("sonnets-gru").mkdir()
    assert json.loads(shakegen("info", "sonnets-gru", "--json").stdout)["units"] == 192
    assert shakegen("models", "path", "sonnets-gru").stdout == f"{shelf.locate('sonnets-gru')}\n"
    missing = "no model .: expected a file that `shakegen train` wrote (see `shakegen models`)"
    assert fails(shakegen("models", "path", "."), missing)


MISSING = {
    "sonets-gru": "did you mean sonnets-gru or sonnets-rnn?",
    "sonnets-lstm.h5": "did you mean sonnets-lstm or sonnets-nlstm?",
    "novel-gru": "did you mean models/novel-gru.h5?",
    "xyz": "expected a file that `shakegen train` wrote",
}


@pytest.mark.parametrize(("name", "wanted"), MISSING.items())
def test_a_model_that_is_not_there_gets_the_names_that_are_alike(shakegen, random_model, name, wanted):
    message = f"no model {name}: {wanted} (see `shakegen models`)"
    random_model().save("models/novel-gru.h5")
    assert fails(shakegen("models", "path", name), message)
    assert fails(shakegen("sample", "-m", name), message)


def test_the_list_names_models_as_commands_take_them(shakegen, random_model):
    random_model().save("models/mine.h5")
    Path("models/broken.h5").write_text("x")
    listed = json.loads(shakegen("models", "list", "--json").stdout)["models"]
    assert {one["model"] for one in listed} == {"models/mine.h5", "models/broken.h5", *shelf.NAMES}
    mine = next(one for one in listed if one["model"] == "models/mine.h5")
    assert (mine["kind"], mine["cell"], mine["units"], mine["layers"]) == ("char", "gru", 12, 2)
    assert mine["validation_bits_per_character"] == load("models/mine.h5").validation_bits
    broken = next(one for one in listed if one["model"] == "models/broken.h5")
    assert {value for key, value in broken.items() if key not in ("model", "path")} == {None}
    for one in listed:
        assert shakegen("models", "path", one["model"]).stdout == f"{one['path']}\n"
    assert shakegen("models").stdout == shakegen("models", "list").stdout


def test_corpora_alone_are_listed_too(shakegen):
    assert shakegen("corpora").stdout == shakegen("corpora", "list").stdout
    listed = json.loads(shakegen("corpora", "list", "--json").stdout)["corpora"]
    assert {one["name"] for one in listed if one["here"]} == {"sonnets", "warpeace"}


def test_a_small_copy_says_how_small_it_is_and_what_it_changes(shakegen, random_model, poem_file):
    model = random_model(Config(units=40))
    model.training = Training({"recipe": {}}, {"weights/0": np.zeros(50_000)})
    model.save("models/mine.h5", with_training=True)
    result = shakegen("models", "shrink", "models/mine.h5")
    _, change = shrink(model)
    assert (result.exit_code, result.stdout) == (0, "")
    before, after = (Path(f"models/{name}.h5").stat().st_size for name in ("mine", "mine-small"))
    assert after < before / 5
    assert result.stderr == (
        f"Saved: models/mine-small.h5, {after / 1e6:.2f} MB instead of {before / 1e6:.2f} MB\n"
        f"With weights of 16 bits, a logit differs by {change:.2g} at most.\n"
    )
    shown = json.loads(shakegen("info", "models/mine-small.h5", "--json").stdout)
    assert (shown["precision"], shown["bytes"]) == ("float16", after)
    assert json.loads(shakegen("info", "models/mine.h5", "--json").stdout)["precision"] == "float32"
    again = "models/mine-small.h5 is there already: name another file with --out"
    assert fails(shakegen("models", "shrink", "models/mine.h5"), again)
    resumed = shakegen("train", "poem.txt", "--resume", "--out", "models/mine-small.h5")
    reason = "start from its weights with --finetune, or start a new run"
    assert fails(resumed, f"models/mine-small.h5 holds no training run to resume: {reason}")


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("models shrink a.h5 -o b.h5", "model.precision.shrink"),
        ("import a.safetensors -o b.h5", "export.tensors.read_tensors"),
    ],
)
def test_a_file_that_is_made_meanwhile_stays(shakegen, random_model, monkeypatch, command, place):
    random_model(Config(units=8)).save("a.h5")
    assert shakegen("export", "a.h5", "--to", "safetensors").exit_code == 0
    module, _, function = f"shakegen.{place}".rpartition(".")
    module = importlib.import_module(module)
    take = getattr(module, function)
    monkeypatch.setattr(module, function, lambda given: Path("b.h5").write_bytes(b"mine") and take(given))
    assert fails(shakegen(*command.split()), "b.h5 is there already: name another file with --out")
    assert Path("b.h5").read_bytes() == b"mine"


def test_a_copy_whose_logits_would_differ_keeps_its_weights(shakegen, random_model):
    model = random_model(Config(units=8))
    model.weights = {**model.weights, "dense/kernel": model.weights["dense/kernel"] * 300}
    model.save("loud.h5")
    result = shakegen("models", "shrink", "loud.h5", "-o", "small.h5")
    (_, change), size = shrink(model), Path("loud.h5").stat().st_size / 1e6
    assert result.stderr == (
        f"Saved: small.h5, {size:.2f} MB instead of {size:.2f} MB\n"
        f"With weights of 16 bits, a logit would differ by {change:.2g}, more than 0.02: they keep 32.\n"
    )
    assert Path("small.h5").read_bytes() == Path("loud.h5").read_bytes()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("sample --length 3", "sonnets-gru"),
        ("sample --length 3 --beam-width 2", "sonnets-gru"),
        ("complete lov", "sonnets-autocomplete"),
        ("connectivity lov", "sonnets-autocomplete"),
    ],
)
def test_the_model_that_was_taken_is_named_unless_quiet(shakegen, call, name):
    said = shakegen(*call.split()).stderr.splitlines()
    assert said[0] == f"Model: {name}"
    quiet = shakegen(*call.split(), "-q")
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    assert quiet.stdout
    assert "Model:" not in shakegen(*call.split(), "-m", name).stderr


def test_a_seed_that_is_a_number_hints_at_the_random_state(shakegen):
    unread = "the model never saw '2' (U+0032), '4' (U+0034): use characters of its training text, or skip the unknown "
    hinted = f"{unread}ones (--on-unknown skip); did you mean --random-state 42?"
    novelty = "novelty sonnets-gru --corpus sonnets --seed 42"
    for call in ("sample --seed 42", "sample --prompt 42 --beam-width 2", novelty):
        assert fails(shakegen(*call.split()), hinted)
    assert fails(shakegen("sample", "--seed", "24 s"), f"{unread}ones (--on-unknown skip)")


def test_a_number_that_the_model_can_read_is_a_seed(shakegen, random_weights):
    from shakegen.model import LanguageModel
    from shakegen.network.config import Config
    from shakegen.text.vocabulary import Vocabulary

    LanguageModel(Config("rnn", units=2), Vocabulary("24"), random_weights(Config("rnn", units=2), 2)).save("m.h5")
    assert shakegen("sample", "-m", "m.h5", "--seed", "42", "--length", 1).stdout.startswith("42")
    other = shakegen("sample", "-m", "m.h5", "--seed", "42", "--require", "é", "--length", 9)
    unread = "the model never saw 'é' (U+00E9): use characters of its training text, or skip the unknown ones"
    assert fails(other, f"{unread} (--on-unknown skip)")


def test_the_traceback_is_shown_to_who_asks_for_it(shakegen):
    line = "Error: no model xyz: expected a file that `shakegen train` wrote (see `shakegen models`)\n"
    for value in ("", "0"):
        assert shakegen("info", "xyz", env={"SHAKEGEN_DEBUG": value}).stderr == line
    shown = shakegen("info", "xyz", env={"SHAKEGEN_DEBUG": "1"})
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("Traceback (most recent call last):\n")
    assert shown.stderr.endswith(line)
