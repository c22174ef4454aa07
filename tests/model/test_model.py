"""What models are and have: identity, weights that stay as they are, engines of their own, names."""

import copy
import dataclasses
import inspect
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from shakegen.model import AutocompleteModel, LanguageModel, Model, find, load
from shakegen.network.config import Config
from shakegen.sampling.generator import TextGenerator
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.study.connectivity.connections import connections
from shakegen.text import reading
from shakegen.text.corpus import Corpus


def test_a_kind_of_model_refuses_files_of_another_task_as_load_does(random_model, completer, tmp_path):
    random_model().save(tmp_path / "a.h5")
    completer.save(tmp_path / "b.h5")
    assert (type(Model.load(tmp_path / "a.h5")), type(Model.load(tmp_path / "b.h5"))) == (
        LanguageModel,
        AutocompleteModel,
    )
    for kind, path, task, message in (
        (LanguageModel, tmp_path / "b.h5", "next", "predicts whole words and cannot write: expected a model of the "
         "next character; try `shakegen complete`"),
        (AutocompleteModel, tmp_path / "a.h5", "autocomplete", "predicts no words: expected a model that "
         "`shakegen train --task autocomplete` made"),
    ):  # fmt: skip
        for refuse in (lambda kind=kind, path=path: kind.load(path), lambda task=task, path=path: load(path, task)):
            with pytest.raises(ValueError) as error:
                refuse()
            assert str(error.value) == f"{path} {message}"


def test_a_subclass_loads_its_own_kind(random_model, tmp_path):
    class Poet(LanguageModel):
        pass

    random_model().save(tmp_path / "a.h5")
    assert type(Poet.load(tmp_path / "a.h5")) is Poet
    assert type(load(tmp_path / "a.h5")) is LanguageModel


def test_models_and_corpora_compare_and_hash_by_identity(random_model, completer, poem):
    source = reading.from_bytes(poem.encode(), "poem")
    makers = [
        random_model,
        lambda: copy.copy(completer),
        lambda: Corpus.from_text(poem),
        lambda: AutocompleteCorpus.from_source(source, length=40),
    ]
    for make in makers:
        one, other = copies = make(), make()
        assert one == copies[0]
        assert one != other
        assert len({one, other, one}) == 2


def test_weights_cannot_be_changed_in_place(random_model):
    model = random_model()
    before = model.sample("love", 30)
    with pytest.raises(ValueError, match="read-only"):
        model.weights["dense/bias"][0] = 50
    with pytest.raises(TypeError):
        model.weights["dense/bias"] = np.zeros(27, np.float32)
    assert model.sample("love", 30) == before
    weights = {name: weight.copy() for name, weight in model.weights.items()}
    weights["dense/bias"][3] = 50
    assert LanguageModel(model.config, model.vocabulary, weights).sample("love", 30) == model.vocabulary.symbols[3] * 30


def test_copies_of_a_model_that_was_used_write_the_same(random_model, completer):
    model = random_model()
    text = model.sample("love", 30)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert again.sample("love", 30) == text
        assert not again.weights["dense/bias"].flags.writeable
    offers = completer.complete("shall i")
    assert pickle.loads(pickle.dumps(completer)).complete("shall i") == offers


@pytest.mark.parametrize("cell", ["gru", "nlstm"])
def test_threads_that_use_one_model_get_what_each_gets_alone(random_model, completer, cell):
    model, seeds = random_model(Config(cell, units=12)), ["love", "a summers day", "x", "thou art"]
    uses = [lambda seed=seed: model.sample(seed, 400, random_state=len(seed)) for seed in seeds]
    uses += [lambda seed=seed: "".join(model.stream(seed, 400, every=7)) for seed in seeds]
    uses += [lambda seed=seed: model.evaluate(seed * 20) for seed in seeds]
    uses += [lambda seed=seed: connections(model, seed * 3).to_dict() for seed in seeds]
    uses += [lambda seed=seed: [completer.complete(seed[:k] + " t") for k in range(len(seed))] for seed in seeds]
    alone, together = [use() for use in uses], Barrier(len(uses))

    def run(use):
        together.wait()
        return [use() for _ in range(5)]

    with ThreadPoolExecutor(len(uses)) as threads:
        for expected, results in zip(alone, threads.map(run, uses), strict=True):
            assert results == [expected] * 5


def test_texts_may_be_drawn_in_turns(random_model):
    model = random_model()
    streams = [model.stream(seed, 50) for seed in ("love", "hate")]
    pieces = list(zip(*streams, strict=True))
    for seed, texts in zip(("love", "hate"), zip(*pieces, strict=True), strict=True):
        assert "".join(texts) == model.sample(seed, 50)


def test_what_a_model_hands_on_keeps_its_signature_and_docstring():
    for name in ("sample", "samples", "stream", "beams", "stochastic_beams", "draft"):
        method, own = getattr(LanguageModel, name), getattr(TextGenerator, name)
        assert inspect.signature(method) == inspect.signature(own)
        assert method.__doc__ == own.__doc__


def test_the_newest_usable_model_of_a_task_is_found(random_model, completer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (find().name, find("autocomplete").name) == ("sonnets-gru.h5", "sonnets-autocomplete.h5")
    random_model().save("models/a.h5")
    completer.save("models/b.h5")
    whole = Path("models/a.h5").read_bytes()
    for number, content in enumerate((whole[:-1], whole[1:], whole.replace(b"kernel", b"colons"), b"", whole[:9] * 99)):
        Path(f"models/x{number}.h5").write_bytes(content)
    for number, path in enumerate(sorted(Path("models").iterdir())):
        os.utime(path, (number, number))
    assert (find(), find("autocomplete")) == (Path("models/a.h5"), Path("models/b.h5"))


def test_a_task_that_there_is_not_has_no_model():
    with pytest.raises(ValueError) as error:
        find("nexxt")
    assert str(error.value) == "there is no task 'nexxt': expected 'next' or 'autocomplete'"


def test_the_order_of_weights_makes_no_difference(random_model):
    model, ids = random_model(Config("gru", units=6, layers=3)), np.arange(9)
    moved = dataclasses.replace(model, weights=dict(sorted(model.weights.items(), reverse=True)))
    assert [*moved.weights] == [*model.weights] == [*model.config.weight_shapes(1)]
    expected, _ = model.engine.read(ids[:, None], model.engine.start())
    np.testing.assert_allclose(moved.keras_model()(ids[None])[0], expected[:, 0], atol=1e-5)
