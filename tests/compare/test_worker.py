"""One run of a comparison, as its process carries it out."""

import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from shakegen import files, training
from shakegen.compare import worker
from shakegen.compare.comparison import Comparison
from shakegen.compare.plan import Entry, Plan
from shakegen.compare.record import Record, Text
from shakegen.model import evaluation, load
from shakegen.model.base import Model
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.text import ngram
from shakegen.text.corpus import Corpus
from shakegen.text.encoding import Part
from shakegen.training import recipe as recipes
from shakegen.training.recipe import Recipe
from shakegen.training.tasks import get_task, next_symbol

SMALL = {"batch_size": 8, "seq_length": 20}


@pytest.fixture
def made(tmp_path, poem_file, monkeypatch):
    """The record of the only run of a comparison, and its folder."""
    monkeypatch.setattr(worker, "TIMED", 0)

    def make(task="next", recipe=None, level="char", **shape):
        recipe, settings = recipe or Recipe(epochs=2, random_state=3, **SMALL), {"units": 6, "layers": 1}
        settings |= {"level": level} if level == "word" else {}
        plan = Plan((Entry("gru"),), recipe, repeats=1, settings=settings, task=task)
        text = Text([str(poem_file)], {}, {"split": [0.8, 0.1, 0.1], **shape})
        comparison = Comparison(text, plan, tmp_path, length=30)
        (record,) = comparison.records
        record.write(tmp_path)
        return record, tmp_path

    return make


def test_many_outputs_are_read_out_at_the_share_of_positions_that_training_takes(made, monkeypatch):
    monkeypatch.setattr(recipes, "MANY", 10)
    for given, share in (({}, 0.25), ({"loss_share": 1.0}, 1)):
        recipe = made(level="word", recipe=Recipe(**SMALL, **given))[0].what["recipe"]
        assert (recipe["loss_share"], recipe["start"]) == (share, "frequencies")


def test_the_figures_are_those_of_the_model_that_is_kept(made, poem):
    record, folder = made()
    figures = worker.carry_out(record, folder).figures
    model = load(folder / "gru-0.h5", with_training=True)
    assert model.training is None
    bounds = round(len(poem) * 0.8), round(len(poem) * 0.9), len(poem)
    for part, (begin, end) in {"validation": bounds[:2], "test": bounds[1:]}.items():
        found = model.evaluate(poem[begin:end])
        assert figures[part]["bits_per_character"] == pytest.approx(found.bits_per_character, rel=1e-5)
        assert figures[part]["accuracy"] == pytest.approx(found.accuracy)
    assert figures["sample"] == ("\n" + model.sample("\n", 30, 0.8, 3)).strip("\n")
    assert figures["history"] == model.history
    assert (figures["parameters"], figures["epochs"]) == (model.parameters, 2)
    assert figures["seconds"] == model.history[-1]["seconds"]
    assert figures["peak_memory_bytes"] == pytest.approx(worker.peak_memory(), rel=0.5)
    assert figures["sampling_characters_per_second"] > 0


def test_what_was_trained_and_not_measured_is_measured_and_not_trained_again(made):
    record, folder = made()
    ended = worker.carry_out(record, folder)
    weights = load(folder / "gru-0.h5").weights
    (folder / "gru-0.h5").unlink()
    corpus = Text(**record.text).load(get_task("next"))
    training.train(corpus, record.config, out=folder / "gru-0.h5", verbose=False, **record.what["recipe"])
    again = worker.carry_out(replace(record, figures={"peak_memory_bytes": 5}), folder)
    assert again.figures["peak_memory_bytes"] == 5
    for name in ("validation", "test", "sample", "parameters", "steps"):
        assert again.figures[name] == ended.figures[name]
    assert all((weights[name] == weight).all() for name, weight in load(folder / "gru-0.h5").weights.items())


def test_models_of_words_are_measured_in_characters(made, poem):
    record, folder = made(level="word", vocabulary_size=9, split=[0.4, 0.1, 0.5])
    figures = worker.carry_out(record, folder).figures
    model = load(folder / "gru-0.h5")
    assert (model.config.level, len(model.vocabulary)) == ("word", 9)
    found = model.evaluate(poem[round(len(poem) * 0.5) :])
    assert found.unknown > 0
    assert figures["test"]["bits_per_character"] == pytest.approx(found.bits_per_character, rel=0.02)
    assert figures["test"]["accuracy"] == pytest.approx(found.accuracy), "the unknown word is no hit"
    assert figures["training_characters_per_second"] == pytest.approx(
        np.median([entry["characters_per_second"] for entry in model.history])
    )


def test_the_words_of_a_network_are_measured_too(made):
    record, folder = made("autocomplete", Recipe.study(epochs=1, seq_length=25, random_state=2), vocabulary_size=9)
    figures = worker.carry_out(record, folder).figures
    model = load(folder / "gru-0.h5")
    text = Text(**record.text)
    corpus = text.load(get_task("autocomplete"))
    assert isinstance(corpus, AutocompleteCorpus)
    assert (corpus.random_state, corpus.observations.length, len(corpus.words.words)) == (2, 25, 9)
    assert figures["test"] == model.evaluate(corpus, corpus.test).to_dict() | {"blocks": {}}
    assert figures["validation"]["cross_entropy"] == pytest.approx(model.history[-1]["val_loss"], rel=1e-3)
    assert len(figures["sample"].splitlines()) == 30 // 12


def test_another_text_in_the_same_place_is_noticed(made, tmp_path):
    record, folder = made()
    (tmp_path / "poem.txt").write_text("something else entirely, " * 40)
    with pytest.raises(ValueError) as error:
        worker.carry_out(record, folder)
    assert str(error.value) == "poem is not the text any more that the comparison began with"
    assert not record.model(folder).exists()


def test_a_cell_that_has_changed_since_the_comparison_began_is_noticed(made):
    record, folder = made()
    with pytest.raises(ValueError) as error:
        worker.carry_out(replace(record, what=record.what | {"cell": {"equations": "others"}}), folder)
    assert str(error.value) == "the cell gru has other equations by now than when the comparison began"
    assert not record.model(folder).exists()


def test_a_run_that_diverges_or_fails_says_so_in_its_record(made, tmp_path):
    record, folder = made(recipe=Recipe(epochs=1, learning_rate=1e38, **SMALL))
    worker.main(str(folder), record.name, "--quiet")
    found = Record.read(record.path(folder))
    assert (found.state, found.what) == ("diverged", record.what)
    assert found.reason == (
        "training diverged, the loss is not a number: try a lower `learning_rate` or a lower `clip_norm`"
    )
    (tmp_path / "poem.txt").unlink()
    worker.main(str(folder), record.name, "--quiet")
    found = Record.read(record.path(folder))
    assert (found.state, found.reason) == (
        "failed",
        f"no file {tmp_path / 'poem.txt'}: expected a text file or the name of a corpus (see `shakegen corpora list`)",
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy tells of what is tested
def test_a_run_whose_figures_are_not_numbers_fails_and_stops_no_other(made):
    record, folder = made()
    worker.train_run(record, Text(**record.text).load(get_task("next")), record.config, record.model(folder), False)
    model = load(record.model(folder), with_training=True)
    kernel = np.full_like(model.weights["dense/kernel"], 3e38) * (-1) ** np.arange(len(model.vocabulary))
    replace(model, weights={**model.weights, "dense/kernel": kernel}).save(record.model(folder), with_training=True)
    worker.main(str(folder), record.name, "--quiet")
    found = Record.read(record.path(folder))
    assert (found.state, found.reason) == (
        "failed",
        "its loss on the validation text is not a number: perhaps its state grows without end",
    )


def test_what_was_noted_of_a_run_that_fails_is_kept(made, monkeypatch):
    record, folder = made()

    def fail(*_):
        raise ValueError("no room for its sample")

    monkeypatch.setattr(worker, "measure_model", fail)
    worker.main(str(folder), record.name, "--quiet")
    found = Record.read(record.path(folder))
    assert (found.state, found.reason) == ("failed", "no room for its sample")
    assert found.figures["peak_memory_bytes"] > 0


def test_long_texts_are_scored_in_streams_that_hardly_differ(random_model, rng, monkeypatch):
    monkeypatch.setattr(next_symbol, "STREAM", 3000)
    model = random_model()
    ids = np.append(0, rng.integers(0, 27, 9_000)).astype("uint8")
    parts = Part(), Part(1, 1), Part(len(ids) - 1, len(ids) - 1)
    corpus = Corpus("random", model.vocabulary, ids, "0", (0, 1, len(ids)), parts)
    found = get_task("next").score(model, corpus, "test")
    whole = evaluation.evaluate(model.engine, corpus.test).bits_per_character
    assert found["bits_per_character"] == pytest.approx(whole, rel=1e-3)
    assert get_task("next").score(model, corpus, "validation") is None


def test_a_baseline_has_blocks_where_it_predicts_as_much_as_a_network(random_model, rng, monkeypatch):
    model = random_model()
    corpus = Corpus.from_text("".join(rng.choice(list(model.vocabulary.symbols), 8_000)), split=(0.5, 0.25, 0.25))
    network = get_task("next").score(model, corpus, "test")["blocks"]["bits_per_character"]

    def score_ngrams():
        return next(iter(get_task("next").score_baselines(corpus).values()))["test"]

    assert len(score_ngrams()["blocks"]["bits_per_character"]) == len(network) == 9
    monkeypatch.setattr(ngram, "PREDICTED", 1_500)
    assert score_ngrams()["blocks"]["bits_per_character"] == []


def test_blocks_have_the_spelling_where_the_unknown_words_are():
    ids = np.zeros(1001, int)
    ids[1:101] = 9
    part = Part(symbols=1001, characters=5005, spelling=1000.0)
    corpus = SimpleNamespace(parts=[Part(), Part(), part], test=ids, vocabulary=SimpleNamespace(unknown=9))
    found = get_task("next")._score_bits(corpus, "test", np.full(1000, 5.0))
    blocks = found["blocks"]["bits_per_character"]
    assert np.mean(blocks) == pytest.approx(found["bits_per_character"])
    assert blocks[0] > 1.5 * blocks[1]


def test_a_run_is_held_and_what_a_killed_one_left_is_removed(made):
    record, folder = made()
    path = record.model(folder)
    left = folder / f".{files.digest(path)}.0.part"
    left.write_bytes(b"half a model")
    worker.main(str(folder), record.name, "--quiet")
    assert Record.read(record.path(folder)).state == "finished"
    assert not left.exists()
    record.write(folder)
    with files.holding(path):
        worker.main(str(folder), record.name, "--quiet")
    reason = f"another run writes {path}: wait for its end, or name another place with `runs`"
    assert Record.read(record.path(folder)).reason == reason


def test_a_run_has_finished_even_if_its_file_stays_large(made, monkeypatch):
    record, folder = made()
    save = Model.save

    def fail(model, path, with_training=False):
        if not with_training:
            raise OSError(28, "No space left on device")
        save(model, path, with_training)

    monkeypatch.setattr(Model, "save", fail)
    worker.main(str(folder), record.name, "--quiet")
    assert Record.read(record.path(folder)).state == "finished"
    assert load(record.model(folder), with_training=True).training is not None


def test_a_worker_whose_parent_is_gone_stops_and_can_go_on(made, monkeypatch):
    record, folder = made()
    parents = iter([1, 1, 1])
    monkeypatch.setattr(worker, "PARENT", 1)
    monkeypatch.setattr(worker.os, "getppid", lambda: next(parents, 2))
    with pytest.raises(training.Interrupted) as stop:
        worker.carry_out(record, folder)
    assert stop.value.signal == signal.SIGTERM
    assert load(folder / "gru-0.h5", with_training=True).training.state["position"]["step"] == 4
    monkeypatch.setattr(worker.os, "getppid", lambda: 1)
    worker.carry_out(record, folder)
    assert load(folder / "gru-0.h5").history[-1]["epoch"] == 2
