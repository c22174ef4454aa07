"""Training for the autocomplete task: its batches, its validation, runs that learn and go on, the command."""

import dataclasses
import json

import numpy as np
import pytest

from shakegen import training
from shakegen.inference import Engine
from shakegen.model import AutocompleteModel, load
from shakegen.network.config import Config
from shakegen.study.autocomplete import corpus as corpus_module, measures
from shakegen.study.autocomplete.batches import ShuffledObservations
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.text import reading
from shakegen.text.corpus import Corpus
from shakegen.training.recipe import Recipe
from shakegen.training.tasks import get_task
from shakegen.training.validation import AutocompleteValidation

TEXT = "Shall I compare thee to a summer's day? Thou art more lovely and more temperate.\n" * 20
CONFIG = Config.study("gru", units=8)
FAST = ["--units", 8, "--seq-length", 40, "--batch-size", 8, "--learning-rate", 0.01]


@pytest.fixture
def corpus():
    return AutocompleteCorpus.from_source(reading.from_bytes(TEXT.encode(), "poem"), length=40)


@pytest.mark.parametrize("batch_size", [1, 4, 7, 1000])
def test_every_observation_is_in_every_epoch_once(corpus, batch_size):
    batches = ShuffledObservations(corpus.observations, corpus.train, batch_size, random_state=3)
    assert batches.steps == -(-len(corpus.train) // batches.batch_size)
    orders = []
    for epoch in range(2):
        rows = np.concatenate([batches.rows(epoch * batches.steps + k) for k in range(batches.steps)])
        assert sorted(rows[rows >= 0]) == sorted(corpus.train)
        assert len(rows) == batches.steps * batches.batch_size
        orders.append(rows)
    assert not np.array_equal(*orders)
    again = ShuffledObservations(corpus.observations, corpus.train, batch_size, random_state=3)
    assert np.array_equal(again.rows(batches.steps + 1), batches.rows(batches.steps + 1))
    inputs, targets = batches.pair(batches.steps - 1)
    expected = corpus.observations.take(batches.rows(batches.steps - 1))
    assert np.array_equal([inputs, targets], expected)


def test_validation_is_the_cross_entropy_of_the_measures(corpus, random_weights):
    weights = random_weights(CONFIG, len(SYMBOLS), outputs=len(corpus.words))
    score = AutocompleteValidation(CONFIG, corpus.observations, corpus.train, 0)
    engine = Engine(CONFIG, weights, defer_read_out=True)
    assert score(weights) == measures.evaluate(engine, corpus.observations, corpus.train).cross_entropy
    assert score.seconds(weights) > 0


def test_a_run_learns_and_goes_on_bit_for_bit(corpus, tmp_path):
    options = {"batch_size": 16, "learning_rate": 0.02, "schedule": "constant", "verbose": False}
    whole = training.train(corpus, CONFIG, epochs=4, **options)
    training.train(corpus, CONFIG, epochs=2, out=tmp_path / "model.h5", **options)
    assert type(load(tmp_path / "model.h5")) is AutocompleteModel
    resumed = training.train(corpus, resume=tmp_path / "model.h5", epochs=4, verbose=False)
    losses = [[entry["loss"] for entry in model.history] for model in (whole, resumed)]
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0]
    assert all(np.array_equal(resumed.weights[name], weight) for name, weight in whole.weights.items())
    found = whole.evaluate(corpus, corpus.validation)
    assert whole.best_epoch["val_loss"] == pytest.approx(found.cross_entropy, rel=1e-5)
    finetuned = training.train(corpus, finetune=whole, epochs=1, **{**options, "learning_rate": 1e-9})
    assert finetuned.history[0]["val_loss"] == pytest.approx(found.cross_entropy, abs=1e-3)


def test_what_does_not_fit_the_task_is_refused(corpus):
    words = AutocompleteCorpus.from_source(reading.from_bytes(TEXT.encode()), length=40, words=Outputs(["thee", "a"]))
    base = AutocompleteModel(CONFIG, SYMBOLS, {}, words=corpus.words)
    cases = {
        "the corpus is for the task autocomplete, the network for next: expected the same": (corpus, Config(), {}),
        "the corpus is for the task next, the network for autocomplete: expected the same": (
            Corpus.from_text(TEXT), CONFIG, {}
        ),
        "the corpus has observations of 40 characters, not 41: give another length when it is made": (
            corpus, CONFIG, {"seq_length": 41}
        ),
        "passages are for the next character: leave `passage` out for the task autocomplete": (
            corpus, CONFIG, {"passage": 2}
        ),
        "the model to start from predicts other words: expected a corpus with words=model.words": (
            words, CONFIG, {"finetune": base}
        ),
        "the batch size given is 0: expected a whole number above 0": (corpus, CONFIG, {"batch_size": 0}),
    }  # fmt: skip
    for message, (text, config, options) in cases.items():
        with pytest.raises(ValueError) as error:
            training.train(text, config, verbose=False, **options)
        assert str(error.value) == message


def test_train_then_complete_then_go_on(shakegen, tmp_path):
    (tmp_path / "poem.txt").write_text(TEXT)
    arguments = ["train", "poem.txt", "--task", "autocomplete", *FAST]
    shown = ["--sample-seed", "shall i com", "--log-dir", "logs"]
    trained = shakegen(*arguments, "--epochs", 1, *shown, "--vocabulary-size", 10)
    assert (trained.exit_code, trained.stdout) == (0, "")
    lines = trained.stderr.splitlines()
    assert lines[0].startswith("epoch 1/1: training ")
    assert " nats/position, " in lines[0]
    assert lines[1].startswith("shall i com| ")
    assert 'Now try: shakegen complete --model models/poem-autocomplete-gru.h5 "..."' in lines
    header = (tmp_path / "logs" / "epochs.csv").read_text().splitlines()[0].split(",")
    assert {"training_cross_entropy", "validation_cross_entropy"} <= set(header), (
        "nats of words, not bits of characters"
    )
    logged = next((tmp_path / "logs" / "train").glob("events*")).read_bytes()
    for name in (b"gradient_norm/embedding", b"gradient_norm/layer1", b"gradient_norm/dense", b"shall i com| "):
        assert name in logged
    model = load("models/poem-autocomplete-gru.h5")
    assert (len(model.words), model.length, model.config) == (12, 40, Config.autocomplete("gru", units=8))
    resumed = shakegen("train", "poem.txt", "--resume", "--epochs", 2, "--quiet")
    assert (resumed.exit_code, resumed.output) == (0, "models/poem-autocomplete-gru.h5\n")
    again = load("models/poem-autocomplete-gru.h5")
    assert [entry["epoch"] for entry in again.history] == [1, 2]
    info = json.loads(shakegen("info", "models/poem-autocomplete-gru.h5", "--json").stdout)
    assert (info["task"], info["words"]) == ("autocomplete", 10)
    assert info["validation_cross_entropy"] == again.best_epoch["val_loss"]
    completed = json.loads(shakegen("complete", "shall i com", "--json").stdout)["completions"]
    assert completed == [offer._asdict() for offer in again.complete("shall i com")]
    finetuned = shakegen("train", "poem.txt", "--finetune", "models/poem-autocomplete-gru.h5", "--epochs", 1,
                         "--out", "models/more.h5", "--quiet")  # fmt: skip
    assert (finetuned.exit_code, finetuned.output) == (0, "models/more.h5\n")
    assert load("models/more.h5").words == model.words


def test_a_text_without_validation_text_is_sampled_and_learned(shakegen, tmp_path):
    (tmp_path / "few.txt").write_text(TEXT[:600])
    result = shakegen("train", "few.txt", "--task", "autocomplete", *FAST, "--epochs", 1)
    assert (result.exit_code, "shall i compare thee" in result.stderr) == (0, True)
    refused = shakegen("train", "few.txt", "--resume", "--epochs", 2, "--vocabulary-size", 500)
    words = len(load("models/few-autocomplete-gru.h5").words.words)
    assert (refused.exit_code, refused.stderr) == (
        1, f"Error: --vocabulary-size is 500, but the model to start from keeps its {words} words: leave it out\n"
    )  # fmt: skip


def test_an_option_that_is_none_is_the_usual_one(corpus):
    assert get_task("autocomplete").make_recipe(corpus, seq_length=None).seq_length == 40


def test_a_long_text_and_no_text_are_learned_as_in_the_study(corpus, monkeypatch):
    task = get_task("autocomplete")
    assert task.make_recipe(corpus, seq_length=40) == Recipe.autocomplete(seq_length=40)
    assert task.make_recipe(corpus, "study", seq_length=40) == Recipe.study(seq_length=40)
    assert task.make_config(corpus, units=5) == Config.autocomplete(units=5)
    assert task.make_config(corpus, "study", units=5) == task.make_config(units=5) == Config.study(units=5)
    assert task.make_recipe() == Recipe.study()
    assert corpus_module.AutocompleteCorpus.from_source(reading.from_bytes(TEXT.encode())).observations.length == 100
    monkeypatch.setattr(corpus_module, "LONG", len(corpus))
    assert task.make_recipe(corpus, seq_length=40) == Recipe.study(seq_length=40)
    assert task.make_config(corpus) == Config.study()
    assert corpus_module.AutocompleteCorpus.from_source(reading.from_bytes(TEXT.encode())).observations.length == 200


def test_first_weights_know_the_training_part_only(corpus):
    counts, (_, targets) = np.zeros(len(corpus.words)), corpus.observations.take(corpus.train)
    for row, inputs in zip(targets, corpus.observations.take(corpus.train)[0], strict=True):
        np.add.at(counts, row[(inputs == 0) & (row != 0)], 1)  # each word at its space
    assert np.array_equal(np.bincount(corpus.train_targets, minlength=len(corpus.words)), counts)
    assert len(corpus.train_targets) < len(corpus.observations.targets)


def test_the_score_of_a_part_is_the_evaluation_of_its_observations_in_blocks_too(random_weights):
    corpus = AutocompleteCorpus.from_source(reading.from_bytes(2 * TEXT.encode()), length=40)
    weights = random_weights(CONFIG, len(SYMBOLS), outputs=len(corpus.words))
    model = AutocompleteModel(CONFIG, SYMBOLS, weights, words=corpus.words)
    score, whole = get_task("autocomplete").score(model, corpus, "train"), model.evaluate(corpus, corpus.train)
    blocks = score.pop("blocks")
    assert score["positions"] == whole.positions
    for name in ("cross_entropy", "masked_accuracy"):
        assert score[name] == pytest.approx(getattr(whole, name), rel=1e-3)
        assert len(blocks[name]) == len(corpus.train) // 8
        assert np.mean(blocks[name]) == pytest.approx(score[name], rel=0.05)


def test_rare_words_are_unknown_unless_their_number_is_given():
    text = "one " * 3 + "two " * 4 + "rare words rare"
    words = [AutocompleteCorpus.from_source(reading.from_bytes(text.encode()), n).words.words for n in (None, 3)]
    assert words == [("two", "one"), ("two", "one", "rare")]
    assert AutocompleteCorpus.from_source(reading.from_bytes(b"all words are rare")).words.words == (
        "all", "are", "rare", "words"
    )  # fmt: skip


def test_validation_text_without_known_words_chooses_no_epoch(corpus):
    strange = dataclasses.replace(corpus.observations, targets=np.zeros_like(corpus.observations.targets))
    nothing = dataclasses.replace(corpus, observations=strange)
    task = get_task("autocomplete")
    assert task.make_validation(CONFIG, corpus, corpus.vocabulary, 1000) is not None
    assert task.make_validation(CONFIG, nothing, corpus.vocabulary, 1000) is None
    assert task.lacks_validation(nothing)


def test_what_does_not_fit_the_recipe_is_refused(corpus):
    model, other = AutocompleteModel(CONFIG, SYMBOLS, {}, words=corpus.words), Corpus.from_text(TEXT)
    for text, options, message in (
        (corpus, {"recipe": "own"}, "the recipe given is 'own': expected one of usual, study"),
        (corpus, {"recipe": "study", "resume": model}, "the recipe given is 'study': expected none, for a run that "
         "goes on keeps its own"),
        (other, {"recipe": "study"}, "the recipe 'study' is for the task autocomplete: leave it out"),
        (other, {"start": "spelling"}, "the start 'spelling' is for the task autocomplete: leave it out"),
    ):  # fmt: skip
        with pytest.raises(ValueError) as error:
            training.train(text, verbose=False, **options)
        assert str(error.value) == message
