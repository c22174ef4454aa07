"""What a new text needs of an old network: a vocabulary of both, and old weights in their places. Only numpy."""

import numpy as np

from shakegen.text.vocabulary import Vocabulary


def extended(known: Vocabulary, new: Vocabulary) -> Vocabulary:
    """A vocabulary of all symbols of two."""
    missing = [symbol for symbol in new.symbols if symbol not in known]
    unknown = known.unknown is not None or new.unknown is not None
    return type(known)([*known.symbols, *missing], unknown)


def places(of: Vocabulary, within: Vocabulary) -> np.ndarray:
    """The id, in a vocabulary, of every symbol of one that it extends, shape (V,)."""
    ids = {symbol: number for number, symbol in enumerate(within.symbols)}
    unknown = [] if of.unknown is None else [within.unknown]
    return np.array([ids[symbol] for symbol in of.symbols] + unknown, within.dtype)


def transplanted(fresh: dict, known: dict, ids: np.ndarray) -> dict[str, np.ndarray]:
    """The weights of a network, in one that has more symbols: of those that it lacks, the fresh weights remain.

    Args:
        fresh: the new network's weights, by the names of `Config.weight_shapes`.
        known: the old network's.
        ids: in the new network, of the old one's symbols, shape (V,).
    """
    read = "embedding/embeddings" if "embedding/embeddings" in fresh else "layer1/kernel"
    weights = {}
    for name, weight in known.items():
        weights[name] = fresh[name].copy()
        if name == read:
            weights[name][ids] = weight
        elif name.startswith("dense/"):
            weights[name][..., ids] = weight
        else:
            weights[name][...] = weight
    return weights
