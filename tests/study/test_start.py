"""The first weights of networks of the autocomplete task: the letters of words, and those of TensorFlow 1."""

import numpy as np

from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.study.autocomplete import start
from shakegen.study.autocomplete.outputs import Outputs

WORDS = Outputs(["the", "then", "there", "and", "zoo", "extraordinary", "extraordinarily"])


def test_words_are_alike_by_their_common_letters():
    kernel = start.spell_outputs(WORDS, units=4000)
    alike = kernel.T @ kernel * start.PLACES / start.SCALE**2  # the number of common letters, their ends among them
    outputs = dict(zip(WORDS.words, WORDS.encode(WORDS.words)))
    shared = {("the", "the"): 4, ("the", "then"): 3, ("then", "there"): 3, ("the", "and"): 1, ("zoo", "zoo"): 4}
    shared["extraordinary", "extraordinarily"] = start.PLACES
    for (one, other), letters in shared.items():
        assert abs(alike[outputs[one], outputs[other]] - letters) < 0.5
    assert not kernel[:, :2].any()
    assert np.array_equal(kernel, start.spell_outputs(WORDS, units=4000))


def test_a_network_starts_with_the_frequencies_of_its_words():
    network = build(Config.autocomplete("gru", units=3), 27, outputs=len(WORDS))
    targets = np.repeat(WORDS.encode(["the", "and"]), [300, 100])
    start.start_from_spelling(network, WORDS, targets, random_state=0)
    shares = np.exp(network.get_layer("dense").bias.numpy())
    assert abs(shares.sum() - 1) < 1e-5
    assert abs(shares[2] / shares[5] - 301 / 101) < 1e-3
    assert shares[:2].max() < shares[2:].min() / 50


def test_tensorflow_1_starts_with_gates_half_open_and_kernels_of_glorot():
    config = Config.study("gru", units=40, embedding=10)
    network = build(config, 27, outputs=len(WORDS))
    kept = network.get_layer("layer1").weights[0].numpy()
    start.start_as_tensorflow1(network, config, random_state=1)
    for number in (1, 2):
        _, recurrent, bias = network.get_layer(f"layer{number}").get_weights()
        assert np.array_equal(bias, np.repeat([1, 1, 0], 40))
        limit = np.sqrt(6 / (40 + 120))
        assert 0.98 * limit < np.abs(recurrent).max() <= limit
    assert np.array_equal(network.get_layer("layer1").get_weights()[0], kept)
    lstm, fresh = Config.study("lstm", units=3), build(Config.study("lstm", units=3), 27)
    bias = fresh.get_layer("layer1").get_weights()[2]
    start.start_as_tensorflow1(fresh, lstm, random_state=1)
    assert np.array_equal(fresh.get_layer("layer1").get_weights()[2], bias)
