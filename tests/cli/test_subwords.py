"""Models of subwords, from the shell."""

import json
import math

import numpy as np
import pytest
from commands import run_without

from shakegen.model import load
from shakegen.text.corpus import Corpus

FAST = [
    "--cell",
    "rnn",
    "--units",
    "4",
    "--layers",
    "1",
    "--epochs",
    "1",
    "--seq-length",
    "10",
    "--batch-size",
    "8",
    "--sample-length",
    "5",
]
SUBWORD = [*FAST, "--level", "subword", "--vocabulary-size", 128, "--embedding", 5, "--split", "*,240,240", "--quiet"]
TEXT = "Shall I compare thee to a winter's day? 👍\n"


@pytest.fixture
def saved(tmp_path, random_weights, poem, poem_file):
    """An untrained model of the subwords of the poem as model.h5, and the poem."""
    from shakegen.model import LanguageModel
    from shakegen.network.config import Config

    corpus = Corpus.from_text(poem, "poem", level="subword", vocabulary_size=128, split=(0.8, 0.1, 0.1))
    config = Config(units=8, level="subword", embedding=5)
    weights = random_weights(config, len(corpus.vocabulary))
    model = LanguageModel(config, corpus.vocabulary, weights, corpus.origin(), [{"epoch": 1, "loss": 2.0}])
    model.save(tmp_path / "model.h5")
    return model


@pytest.mark.usefixtures("poem_file")
def test_a_run_on_subwords_goes_on_and_other_runs_start_from_it(shakegen, tmp_path, poem):
    (tmp_path / "more.txt").write_text("Shall I say zounds? Zounds, I shall! Üben\n" * 60)
    assert shakegen("train", "poem.txt", *SUBWORD).exit_code == 0
    model = load("models/poem-rnn.h5")
    assert model.config.level == "subword"
    validation = model.evaluate(poem[-480:-240])
    assert math.isclose(model.best_epoch["val_loss"], validation.nats_per_symbol, rel_tol=1e-4)
    nats = validation.nats_per_symbol * (validation.symbols + 1)
    assert math.isclose(model.validation_bits * 240, nats / math.log(2), rel_tol=1e-4)
    resumed = shakegen("train", "poem.txt", "--resume", "--epochs", 2, "--sample-length", 5)
    assert resumed.exit_code == 0, resumed.stderr
    assert " bits/subword, " in resumed.stderr
    tuned = shakegen("train", "more.txt", "--finetune", "models/poem-rnn.h5", *FAST[6:], "--quiet")
    assert tuned.exit_code == 0, tuned.stderr
    assert load("models/more-rnn.h5").vocabulary == load("models/poem-rnn.h5").vocabulary == model.vocabulary
    for size in (0, 200):
        refused = shakegen("train", "more.txt", "--finetune", "models/poem-rnn.h5", "--vocabulary-size", size)
        assert (refused.exit_code, refused.stderr) == (
            1,
            f"Error: --vocabulary-size is {size}, but the model to start from keeps its "
            f"{len(model.vocabulary)} symbols: leave it out\n",
        )


@pytest.mark.parametrize("text", [TEXT, "👍"])
def test_a_text_costs_the_same_however_it_is_measured(shakegen, saved, text):
    found = json.loads(shakegen("evaluate", "model.h5", "-", "--json", "--per-character", input=text).stdout)
    listed = found["per_character"]
    assert "".join(symbol for symbol, _ in listed) == text
    bits = sum(b for _, b in listed[1:])
    assert np.isclose(bits, found["bits_per_subword"] * found["subwords"])
    assert np.isclose(bits, found["bits_per_character"] * found["characters"])
    assert found["subwords"] == len(saved.vocabulary.encode(text)) - 1
    scored = json.loads(shakegen("score", "-", "-m", "model.h5", "--json", input=text).stdout)
    (cost,) = scored["pieces"][0]["bits"].values()
    assert np.isclose(cost, saved.evaluate("\n" + text).bits_per_character * len(text))


def test_writing_with_subwords(shakegen, saved):
    arguments = ("sample", "-m", "model.h5", "--seed", "Shall 👍 I ", "--length", 12, "--random-state", 1)
    sampled = shakegen(*arguments, "--temperature", 5).stdout
    assert sampled == f"Shall 👍 I {saved.sample('Shall 👍 I ', 12, temperature=5, random_state=1)}\n"
    assert "\ufffd" not in sampled
    forbidden = shakegen(*arguments, "--forbid", "e", "--length", 40).stdout
    assert "e" not in forbidden
    ended = shakegen("sample", "-m", "model.h5", "--between", "Thou 👍", " day?", "--length", 30)
    assert ended.stdout.startswith("Thou 👍")
    assert ended.stdout.endswith(" day?\n")


@pytest.mark.usefixtures("saved")
def test_packed_and_back(shakegen, tmp_path):
    raw = TEXT.encode() + b"\xff\0 thee thee"
    (tmp_path / "a.txt").write_bytes(raw)
    assert shakegen("compress", "a.txt", "-m", "model.h5", "-q").exit_code == 0
    (tmp_path / "a.txt").unlink()
    assert shakegen("decompress", "a.txt.shk", "-m", "model.h5", "-q").exit_code == 0
    assert (tmp_path / "a.txt").read_bytes() == raw


@pytest.mark.usefixtures("saved")
def test_models_of_subwords_are_shown_and_used_without_other_libraries(shakegen, tmp_path):
    shown = shakegen("info", "model.h5").stdout
    assert f"\nlevel{'subword':>34}\n" in shown
    calls = "sample --model model.h5 --seed Thou", "evaluate model.h5 poem.txt"
    assert run_without("tensorflow keras tokenizers", tmp_path, *calls).returncode == 0
