"""From an old network to one for a new text: a vocabulary of both, and old weights in their places. Only numpy."""

from collections.abc import Mapping

import numpy as np

from shakegen.text.vocabulary import Vocabulary


def merge_vocabularies(known: Vocabulary, new: Vocabulary) -> Vocabulary:
    """A vocabulary of all symbols of two.

    Raises:
        ValueError: the known one differs and cannot grow: with more pieces, a text would be cut otherwise.
    """
    if known == new:
        return known
    if not known.grows:
        raise ValueError(
            f"the model to start from has other {known.symbol}s: expected a corpus with vocabulary=model.vocabulary"
        )
    missing = [symbol for symbol in new.symbols if symbol not in known]
    unknown = known.unknown is not None or new.unknown is not None
    return type(known)([*known.symbols, *missing], unknown)


def find_ids(of: Vocabulary, within: Vocabulary) -> np.ndarray:
    """The id of every symbol of a vocabulary in another one that extends it, shape (V,)."""
    ids = {symbol: number for number, symbol in enumerate(within.symbols)}
    textless = range(len(within.symbols), len(within.symbols) + len(of) - len(of.symbols))
    return np.array([*(ids[symbol] for symbol in of.symbols), *textless], within.dtype)


def transfer(new: Mapping, old: Mapping, ids: np.ndarray) -> dict[str, np.ndarray]:
    """Put the weights of a network in one that has more symbols; new symbols keep their first weights.

    Args:
        new: the new network's weights, by the names of `Config.weight_shapes`.
        old: the old network's.
        ids: the ids that the old network's symbols have in the new one, shape (V,).
    """
    weights = {name: weight.copy() for name, weight in new.items()}
    for name, weight in old.items():
        sizes = zip(weight.shape, weights[name].shape, strict=True)  # those that differ count symbols
        places = [np.arange(size) if size == now else ids for size, now in sizes]
        weights[name][np.ix_(*places)] = weight
    return weights
