"""What the options of a recipe make of learning: streams, averages, dropout, precision, old weights."""

import keras
import numpy as np
import pytest
from small import PLAIN, SMALL

from shakegen.cells import BUILT_IN
from shakegen.inference import Engine
from shakegen.layers.carried import carrying, make_states
from shakegen.model import LanguageModel
from shakegen.network.build import build, named_weights
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.text.subword_vocabulary import SubwordVocabulary
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.windows import Passages
from shakegen.text.word_vocabulary import WordVocabulary
from shakegen.training import finetuning, make_optimizer, train
from shakegen.training.beginning import begin
from shakegen.training.recipe import Recipe
from shakegen.training.tasks.next_symbol import NextSymbolTask
from shakegen.training.trainer import Trainer
from shakegen.training.validation import TextValidation
from shakegen.training.workers import Strategy

V = 7


@pytest.mark.parametrize("cell", BUILT_IN)
@pytest.mark.parametrize("options", [{}, {"learn_initial_state": True, "convolution": 3, "mlp": 1}], ids=["", "blocks"])
def test_passages_are_read_as_the_engine_reads_them(cell, options, rng):
    ids, config = rng.integers(V, size=400), Config(cell, units=6, layers=2, dropout=0, **options)
    batches, network = Passages(ids, length=9, batch_size=3, passage=3), build(config, V)
    network.set_weights([rng.normal(0, 0.4, weight.shape) for weight in network.get_weights()])
    engine, states = Engine(config, named_weights(config, network)), make_states(network, 3)
    state = engine.start(3)
    for number in range(2 * batches.steps):
        inputs, begins = batches.batch(number)[:, :-1], batches.begins(number)
        with carrying(network, states, begins):
            logits = keras.ops.convert_to_numpy(network(inputs, training=True))
        state = np.where(begins[:, None], engine.start(3), state)
        for t in range(9):
            expected, state = engine.step(inputs[:, t], state)
            assert np.allclose(logits[:, t], expected, atol=2e-5)
    assert network(inputs[:1]).shape == (1, 9, V), "outside, the network takes any number of rows"


def test_averaged_weights_are_the_moving_average_that_is_kept(poem):
    class Watch(keras.callbacks.Callback):
        average = None

        def on_train_batch_end(self, batch, logs=None):
            weights = self.model.get_weights()
            if self.average is None:
                self.average = weights
            self.present = weights
            momentum = min(0.8, (1 + batch) / (10 + batch))
            self.average = [momentum * a + (1 - momentum) * w for a, w in zip(self.average, weights, strict=True)]

    watch, corpus = Watch(), Corpus.from_text(poem)
    model = train(corpus, Config("rnn", units=6), epochs=1, average_weights=0.8, callbacks=[watch], **SMALL)
    for weight, average, present in zip(model.weights.values(), watch.average, watch.present, strict=True):
        assert np.allclose(weight, average, atol=1e-6)
        assert not np.allclose(weight, present, atol=1e-6)
    score = TextValidation(model.config, corpus.validation, len(corpus))
    assert score(model.weights) == model.history[0]["val_loss"]


def test_weight_decay_leaves_biases_and_other_vectors_alone():
    shapes = {"kernel": (2, 2), "scale": (2,), "bias": (2, 3)}
    weights = [keras.Variable(np.ones(shape), name=name) for name, shape in shapes.items()]
    optimizer = make_optimizer(Recipe(optimizer="sgd", weight_decay=0.5, learning_rate=0.1), weights)
    optimizer.build(weights)
    optimizer.apply([keras.ops.zeros(shape) for shape in shapes.values()])
    assert [float(np.mean(weight)) for weight in weights] == pytest.approx([0.95, 1, 1])


@pytest.mark.parametrize("variational", [False, True])
def test_variational_dropout_drops_the_same_outputs_at_every_step(variational):
    network = build(Config("rnn", units=50, dropout=0.5, variational_dropout=variational), V)
    dropout = next(layer for layer in network.layers if isinstance(layer, keras.layers.Dropout))
    kept = keras.ops.convert_to_numpy(dropout(np.ones((4, 30, 50), np.float32), training=True)) > 0
    assert 0.3 < kept.mean() < 0.7
    assert np.all(kept == kept[:, :1]) == variational
    assert not np.all(kept == kept[:1]), "every sequence has its own mask"


def test_half_the_precision_learns_as_much_and_keeps_whole_weights(poem):
    corpus, config = Corpus.from_text(poem), Config("lstm", units=16, embedding=8)  # the dropout is scaled
    half, whole = (train(corpus, config, epochs=2, mixed_precision=kind, **SMALL) for kind in ("bfloat16", "float32"))
    assert all(weight.dtype == np.float32 for weight in half.weights.values())
    assert half.history[1]["loss"] == pytest.approx(whole.history[1]["loss"], rel=0.02)
    assert half.history[1]["loss"] != whole.history[1]["loss"]


GERMAN = Corpus.from_text("Zu viele Wörter: (so) viel Mühe!\n" * 60)
SIZES = {name: SMALL[name] for name in ("batch_size", "seq_length")}


def old_model(config, text, random_weights):
    """A model of random weights that knows the characters of a text."""
    vocabulary = Corpus.from_text(text).vocabulary
    return LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "rnn"},
        {"cell": "rnn", "embedding": 5},
        {"cell": "mogrifier", "layers": 1},
        {"cell": "mogrifier", "layers": 1, "rank": 2, "learn_initial_state": True},
        {"cell": "mingru", "convolution": 2},
    ],
    ids=str,
)
def test_a_model_that_is_to_learn_another_text_begins_with_what_it_knows(poem, random_weights, options):
    old = old_model(Config(units=8, **options), poem, random_weights)
    beginning = begin(GERMAN, finetune=old, **SIZES)
    network, symbols = Trainer(beginning, 0.0, Strategy()).run.network, beginning.vocabulary.symbols
    assert set(symbols) == {*old.vocabulary.symbols, *GERMAN.vocabulary.symbols}
    places = [symbols.index(symbol) for symbol in old.vocabulary.symbols]
    before, _ = old.engine.prime(old.vocabulary.encode(poem[:50]))
    after, _ = Engine(old.config, named_weights(old.config, network)).prime(beginning.vocabulary.encode(poem[:50]))
    assert np.allclose(after[0, places], before[0], atol=1e-5)
    assert np.ptp(np.delete(after[0], places)) > 0, "new characters have weights of their own"


def test_a_model_that_learned_another_text_knows_it_and_may_be_resumed(poem, random_weights):
    new = train(GERMAN, finetune=old_model(PLAIN, poem, random_weights), epochs=1, **SMALL)
    assert new.corpus["sha256"] == GERMAN.sha256
    assert new.sample("Wörter", length=5)
    again = train(GERMAN, resume=new, epochs=2, verbose=False)
    assert again.history[0] == new.history[0]


def test_the_network_of_the_old_model_is_the_network_but_for_dropout(poem, random_weights):
    corpus, old = Corpus.from_text(poem), old_model(Config("rnn", units=4, dropout=0), poem, random_weights)
    assert begin(corpus, Config("rnn", units=4, dropout=0.1), finetune=old, **SIZES).config.dropout == 0.1
    with pytest.raises(ValueError) as error:
        begin(corpus, Config("rnn", units=5), finetune=old)
    assert str(error.value) == (
        "the model to start from has units 4, not 5: leave that out, for its weights fit no other network"
    )


def test_a_long_validation_text_is_read_in_part(random_model, rng):
    model, ids = random_model(), rng.integers(27, size=200_000).astype(np.uint8)
    whole, part = TextValidation(model.config, ids, len(ids)), TextValidation(model.config, ids, 0)
    assert (whole.characters, part.characters) == (200_000, 100_000)
    assert part(model.weights) == pytest.approx(whole(model.weights), rel=0.01)
    assert part(model.weights) != whole(model.weights)
    assert part.seconds(model.weights) > 0


UNKNOWN = Vocabulary("abc", unknown=True)
WORDS = WordVocabulary(["to", " be", ","])


@pytest.mark.parametrize(
    ("known", "new"),
    [
        (Vocabulary("abc"), Vocabulary("cxa")),
        (UNKNOWN, Vocabulary("xyz")),
        (Vocabulary("abc"), Vocabulary("bx", unknown=True)),
        (UNKNOWN, Vocabulary("abz", unknown=True)),
        (WORDS, WordVocabulary([" or", ",", " not"])),
    ],
)
def test_a_vocabulary_of_both_has_the_symbols_of_each_in_their_places(known, new):
    both = finetuning.merge_vocabularies(known, new)
    for one in (known, new):
        places = finetuning.find_ids(one, both)
        assert [both.to_json()[k] for k in places] == one.to_json()
    assert set(both.symbols) == {*known.symbols, *new.symbols}
    assert finetuning.merge_vocabularies(both, new) == both


def test_a_vocabulary_of_subwords_has_no_other_symbols_added():
    known, other = SubwordVocabulary(["a", "b", "ab"]), SubwordVocabulary(["a", "b", "ba"])
    assert finetuning.merge_vocabularies(known, SubwordVocabulary(known.symbols)) == known
    with pytest.raises(ValueError) as error:
        finetuning.merge_vocabularies(known, other)
    assert str(error.value) == (
        "the model to start from has other subwords: expected a corpus with vocabulary=model.vocabulary"
    )
    assert finetuning.find_ids(known, known).tolist() == [*range(len(known))]


def test_a_run_that_goes_on_keeps_its_vocabulary(word_model, random_model):
    """Whatever vocabulary is usual today. Characters without an unknown symbol are the text's own in any case."""
    keep = {"level": "word", "vocabulary": word_model.vocabulary}
    options = NextSymbolTask().corpus_options
    assert options(None, 0, word_model, level="word", resumes=True) == keep
    assert options(None, 0, word_model, level="word") == {"level": "word"}
    assert options(None, 0, random_model(), resumes=True) == {"level": "char"}


def test_a_network_learns_from_a_corpus_of_its_own_level_only(poem):
    with pytest.raises(ValueError) as error:
        train(Corpus.from_text(poem, level="word"), Config(units=4), epochs=1)
    assert str(error.value) == (
        "the corpus has the level word, the network char: expected the same, as of Config(level='word')"
    )
