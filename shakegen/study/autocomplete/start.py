"""The first weights of networks of the autocomplete task, where they are not Keras's."""

import keras
import numpy as np

from shakegen.cells import Weight
from shakegen.layers.initializers import initializer_of
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SPECIAL, Outputs

PLACES = 8  # the letters of a word that its output knows at first
SCALE = 3.0  # the norm of an output whose word has so many


def spell_outputs(words: Outputs, units: int, random_state: int = 0) -> np.ndarray:
    """A kernel of the read-out in which words with the same letters at the same places are alike, shape (H, W).

    Each letter at each place has a random vector. The output of a word is their sum, its end counts as a letter. So
    whatever a network learns about one word serves at once for all that begin as it does, the rare ones too.
    """
    drawn = np.random.default_rng(random_state).normal(0, SCALE / np.sqrt(PLACES * units), (PLACES, 27, units))
    kernel = np.zeros((units, len(words)), np.float32)
    for number, word in enumerate(words.words, SPECIAL):
        letters = np.frombuffer(f"{word}`"[:PLACES].encode("ascii"), np.uint8) - ord("`")
        kernel[:, number] = drawn[np.arange(len(letters)), letters].sum(axis=0)
    return kernel


def log_shares(targets: np.ndarray, outputs: int) -> np.ndarray:
    """Logits with which each word is as likely as its share of a text, shape (W,); padding and unknown hardly are.

    Args:
        targets: the outputs of the words of the text, shape (words,).
        outputs: their number, W.
    """
    counts = np.bincount(targets, minlength=outputs) + 1.0
    counts[:SPECIAL] = 1e-2
    return np.log(counts / counts.sum()).astype(np.float32)


def start_from_spelling(network: keras.Model, words: Outputs, targets: np.ndarray, random_state: int) -> None:
    """Let the read-out of a network know how often its words are there, and their letters."""
    read_out = network.get_layer("dense")
    kernel = spell_outputs(words, read_out.kernel.shape[0], random_state)
    read_out.set_weights([kernel, log_shares(targets, len(words))])


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
