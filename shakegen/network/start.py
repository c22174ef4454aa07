"""The first weights of a read-out that knows how often each output is there."""

import keras
import numpy as np


def start_from_counts(network: keras.Model, counts: np.ndarray) -> None:
    """Let a network begin with the frequencies of its outputs in a text, which it would have to learn first.

    Args:
        network: made by `network.build`.
        counts: of each output in the text, shape (outputs,); one is added to each.
    """
    shares = (counts + 1.0) / (counts + 1.0).sum()
    network.get_layer("dense").bias.assign(np.log(shares).astype(np.float32))
