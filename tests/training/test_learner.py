"""What a network learns from one batch."""

import itertools
import string

import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen.layers.dropout import ScaledDropout
from shakegen.model import LanguageModel
from shakegen.network.build import build, named_weights
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.text.windows import Passages
from shakegen.training.beginning import begin
from shakegen.training.learner import Crossentropy, Learner
from shakegen.training.recipe import MANY
from shakegen.training.tasks.next_symbol import NextSymbolTask
from shakegen.training.trainer import Trainer
from shakegen.training.workers import Strategy
from shakegen.training.workers.replicas import Replicas


def test_an_embedding_that_is_looked_up_several_times_learns_as_a_table(rng):
    """Adam's second slot, after a step, is a share of the squared gradient of the whole table."""
    batches = Passages(rng.integers(3, size=500), length=10, batch_size=4)
    network = build(Config("rnn", units=5, embedding=2, dropout=0), 3)
    network.compile(keras.optimizers.Adam(beta_2=0.75), jit_compile=False)
    network.optimizer.build(network.trainable_variables)
    inputs, targets = batches.pair(0)
    with tf.GradientTape() as tape:
        logits = network(inputs)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
    gradient = tf.convert_to_tensor(tape.gradient(loss, network.trainable_variables[0])).numpy()
    learner = Learner(network, Replicas(batches))
    learner.begin(0)
    assert np.isclose(learner(1e-3), float(loss))
    slots = {variable.path.split("/", 1)[-1]: variable.numpy() for variable in network.optimizer.variables}
    (velocity,) = [slot for name, slot in slots.items() if "embedding" in name and "velocity" in name]
    assert np.allclose(velocity, 0.25 * gradient**2, rtol=1e-3)


def test_no_more_dropout_is_in_force_than_told(rng):
    batches = Passages(rng.integers(3, size=500), length=10, batch_size=4)
    network = build(Config("rnn", units=5, dropout=0.5), 3, dropout=ScaledDropout)
    network.compile(keras.optimizers.SGD(), jit_compile=False)
    network.optimizer.build(network.trainable_variables)
    learner = Learner(network, Replicas(batches))
    learner.begin(0)
    for number, dropout in enumerate((1.0, 0.0, 1.0)):
        inputs, targets = batches.pair(number)
        without = float(Crossentropy()(targets, network(inputs)))
        assert np.isclose(learner(0.0, dropout), without) == (dropout == 0)


def test_targets_below_zero_do_not_count(rng):
    targets, logits = rng.integers(5, size=(4, 6)), rng.normal(size=(4, 6, 5)).astype("float32")
    loss, padded = Crossentropy(), np.vstack([targets, np.full((2, 6), -1)])
    more = np.vstack([logits, rng.normal(size=(2, 6, 5))]).astype("float32")
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(targets, logits)
    assert np.isclose(float(loss(targets, logits)), float(expected))
    assert np.isclose(float(loss(padded, more)), float(expected))
    assert (int(loss.count(targets)), int(loss.count(padded))) == (24, 24)
    assert float(loss(padded[4:], more[4:])) == 0


def test_drawn_targets_have_the_loss_that_all_logits_give_them(poem):
    corpus, config = (
        Corpus.from_text(poem, level="word", vocabulary_size=20),
        Config(level="word", units=3, embedding=2),
    )
    whole, drawn = (Trainer(begin(corpus, config, loss_share=share), 0.0, Strategy()).run for share in (1.0, 0.3))
    inputs, targets = drawn.batches.pair(0)
    assert 0 < np.mean(targets >= 0) < 0.5
    losses = [float(run.learner.loss(inputs, targets)) for run in (whole, drawn)]
    assert np.isclose(*losses, rtol=1e-5)
    assert not np.isclose(losses[0], float(whole.learner.loss(*whole.batches.pair(0))), rtol=1e-5)


def test_a_network_of_words_starts_with_their_frequencies(poem):
    corpus = Corpus.from_text(poem, level="word", vocabulary_size=20)
    options = {"start": "frequencies"}
    run = Trainer(begin(corpus, Config(level="word", units=3, embedding=2), **options), 0.0, Strategy()).run
    shares = np.exp(run.network.get_layer("dense").bias.numpy())
    counts = np.bincount(corpus.train, minlength=len(corpus.vocabulary)) + 1
    np.testing.assert_allclose(shares, counts / counts.sum(), rtol=1e-4)


def test_many_outputs_are_read_out_at_a_share_of_the_positions(random_weights):
    words = ["".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=3)]
    few, many = (Corpus.from_text(" ".join(words[:n] * 3), level="word", vocabulary_size=n) for n in (50, MANY))
    assert len(few.vocabulary) < MANY <= len(many.vocabulary)
    recipes = [NextSymbolTask().make_recipe(corpus) for corpus in (few, many)]
    assert [recipe.loss_share for recipe in recipes] == [1, 0.25]
    assert [recipe.start for recipe in recipes] == ["keras", "frequencies"]
    assert NextSymbolTask().make_recipe(many, loss_share=1.0).loss_share == 1
    config = Config(level="word", units=3, embedding=2)
    base = LanguageModel(config, many.vocabulary, random_weights(config, len(many.vocabulary)))
    assert begin(few, finetune=base, seq_length=4).recipe.loss_share == 0.25


def test_the_outputs_of_two_vocabularies_count_together(random_weights):
    signs = [chr(0x4E00 + n) for n in range(6000)]
    old, new = (Corpus.from_text("".join(part * 3)) for part in (signs[:3000], signs[3000:]))
    config = Config("rnn", units=3, layers=1, embedding=2)
    base = LanguageModel(config, old.vocabulary, random_weights(config, len(old.vocabulary)))
    beginning = begin(new, finetune=base, seq_length=4)
    assert len(beginning.vocabulary) >= MANY
    assert (beginning.recipe.loss_share, beginning.recipe.start) == (0.25, "frequencies")


@pytest.mark.parametrize(
    ("changes", "recipe"),
    [
        ({}, {}),
        ({"learn_initial_state": True}, {"batch_size": 1}),
        ({"level": "word", "embedding": 3}, {"loss_share": 0.5}),
        ({"cell": "mingru", "convolution": 3, "mlp": 1}, {}),
        ({}, {"mixed_precision": "bfloat16"}),
    ],
    ids=["usual", "learned start", "share of the loss", "block", "bfloat16"],
)
def test_a_window_is_learned_from_the_state_in_which_the_one_before_ended(poem, changes, recipe):
    """At the learning rate 0, the losses are those of the engine, which begins anew where a passage begins."""
    config = Config(**{"cell": "gru", "units": 5, "layers": 2, "dropout": 0, **changes})
    corpus = Corpus.from_text(poem[:1500], level=config.level)
    options = {"seq_length": 7, "batch_size": 3, "passage": 4, "optimizer": "sgd", **recipe}
    run = Trainer(begin(corpus, config, weight_decay=0, **options), 0.0, Strategy()).run
    rng = np.random.default_rng(0)
    run.network.set_weights([rng.normal(0, 0.5, weight.shape) for weight in run.network.get_weights()])
    engine, batches = LanguageModel.make_engine(config, named_weights(config, run.network)), run.batches
    assert batches.carries_state
    state, found, expected = engine.start(batches.batch_size), [], []
    run.learner.begin(0)
    for number in range(batches.steps + 2):
        (inputs, targets), begins = batches.pair(number), batches.begins(number)
        state = np.where(begins[:, None], engine.start(batches.batch_size), state)
        nats = np.zeros(targets.shape)
        for t in range(7):
            logits, state = engine.step(inputs[:, t], state)
            shifted = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
            nats[:, t] = -np.take_along_axis(shifted, np.maximum(targets[:, t : t + 1], 0), axis=1)[:, 0]
        found.append(run.learner(0.0))
        expected.append(nats[targets >= 0].mean())
    assert 0 < np.mean([begins.mean() for begins in map(batches.begins, range(1, batches.steps))]) < 0.5
    np.testing.assert_allclose(found, expected, rtol=2e-2 if "mixed_precision" in recipe else 1e-4)
