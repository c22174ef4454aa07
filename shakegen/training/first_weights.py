"""The first weights of networks where they are not Keras's: `Recipe.start`."""

import keras
import numpy as np

from shakegen.cells import Weight
from shakegen.layers.initializers import initializer_of
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SPECIAL, Outputs

PLACES = 8  # the letters of a word that its output knows at first
SCALE = 3.0  # the norm of an output whose word has so many


def start_from_counts(network: keras.Model, counts: np.ndarray) -> None:
    """Let a network begin with the frequencies of its outputs in a text, which it would have to learn first.

    Args:
        network: made by `network.build`.
        counts: of each output in the text, shape (outputs,); one is added to each.
    """
    shares = (counts + 1.0) / (counts + 1.0).sum()
    network.get_layer("dense").bias.assign(np.log(shares).astype(np.float32))


def spell_outputs(words: Outputs, units: int, random_state: int = 0) -> np.ndarray:
    """A kernel of the read-out in which words with the same letters at the same places are alike, shape (H, W).

    Each letter at each place has a random vector. The output of a word is their sum; its end counts as a letter. So a
    network that learns about one word learns about all words that begin like it, the rare ones too.
    """
    drawn = np.random.default_rng(random_state).normal(0, SCALE / np.sqrt(PLACES * units), (PLACES, 27, units))
    kernel = np.zeros((units, len(words)), np.float32)
    for number, word in enumerate(words.words, SPECIAL):
        letters = np.frombuffer(f"{word}`"[:PLACES].encode("ascii"), np.uint8) - ord("`")
        kernel[:, number] = drawn[np.arange(len(letters)), letters].sum(axis=0)
    return kernel


def start_from_frequencies(network: keras.Model, targets: np.ndarray) -> None:
    """Let the read-out of a network know how often its words are there; `targets` are those of a text, (words,)."""
    counts = np.bincount(targets, minlength=network.output_shape[-1])
    counts[:SPECIAL] = 0  # never a target
    start_from_counts(network, counts)


def start_as_tensorflow1(network: keras.Model, config: Config, random_state: int) -> None:
    """Draw recurrent kernels as Glorot & Bengio do, and start the biases of gates where TensorFlow 1 did."""
    biases = config.make_cell().study_bias
    for number in range(1, config.layers + 1):
        for place, weight in enumerate(network.get_layer(f"layer{number}").weights):
            seed = 1000 * random_state + 100 * number + place
            if weight.name.startswith("recurrent_kernel"):
                weight.assign(keras.initializers.GlorotUniform(seed)(weight.shape))
            elif weight.name == "bias" and biases and len(weight.shape) == 1:
                weight.assign(initializer_of(Weight(tuple(weight.shape), biases))(weight.shape))
