"""A piece of text, coded in lanes: parts that one network reads side by side, each with bytes of its own."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from shakegen.compression.exact_network import ExactNetwork
from shakegen.compression.range_coder import Coder, DamageError, Decoder, Encoder
from shakegen.compression.symbol_coder import SymbolCoder
from shakegen.text.vocabulary import Vocabulary

LANE, MOST_LANES = 1 << 16, 31  # symbols of a lane at least; lanes at most

Watch = Callable[[int], None]


def encode(network: ExactNetwork, vocabulary: Vocabulary, symbols: Sequence[str], watch: Watch) -> list[bytes]:
    """The bytes of each lane.

    Args:
        network: of the model.
        vocabulary: of the model.
        symbols: of the text.
        watch: called with the number of symbols that were coded since the last call.
    """
    sizes = divide(len(symbols))
    encoders = [Encoder() for _ in sizes]
    parts = [symbols[end - size : end] for size, end in zip(sizes, itertools.accumulate(sizes), strict=True)]
    code(network, SymbolCoder(vocabulary), encoders, sizes, math.inf, watch, parts)
    return [encoder.finish() for encoder in encoders]


def decode(
    network: ExactNetwork, vocabulary: Vocabulary, symbols: int, lanes: Sequence[bytes], most: int, watch: Watch
) -> str:
    """The text of some lanes.

    Args:
        network: of the model.
        vocabulary: of the model.
        symbols: the number of symbols in all lanes.
        lanes: the bytes of each.
        most: characters that the text may have.
        watch: as for `encode`.

    Raises:
        DamageError: the bytes are none of `encode`.
    """
    sizes, decoders = divide(symbols), [Decoder(lane) for lane in lanes]
    if len(sizes) != len(lanes):
        raise DamageError
    texts = code(network, SymbolCoder(vocabulary), decoders, sizes, most, watch)
    for decoder in decoders:
        decoder.finish()
    return "".join(map("".join, texts))


def divide(symbols: int) -> list[int]:
    """How many symbols each lane of so many has, longer lanes first."""
    lanes = min(max(symbols // LANE, symbols > 0), MOST_LANES)
    return [symbols // lanes + (lane < symbols % lanes) for lane in range(lanes)]


@np.errstate(all="ignore")  # numbers of a stranger's model may overflow, everywhere alike
def code(
    network: ExactNetwork,
    names: SymbolCoder,
    coders: Sequence[Coder],
    sizes: Sequence[int],
    most: float,
    watch: Watch,
    parts: Sequence[Sequence[str]] | None = None,
) -> list[list[str]]:
    """Walk through all lanes in step, one symbol of each at a time: the same walk for encoders and decoders.

    Args:
        sizes: symbols of each lane, never increasing.
        most: characters that all lanes may have.
        parts: the symbols of each lane for encoders; decoders find them.

    Returns:
        The symbols of each lane.
    """
    found: list[list[str]] = [[] for _ in sizes]
    states, left = network.start(len(sizes)), most
    for place in range(max(sizes, default=0)):
        live = sum(size > place for size in sizes)
        states = [state[:live] for state in states]
        sums, ids = network.predict(states), np.full(live, -1)
        for lane in range(live):
            symbol = parts[lane][place] if parts else None
            number, symbol = names.code(coders[lane], sums[lane], symbol)
            found[lane].append(symbol)
            if number is not None:
                ids[lane] = number
            left -= len(symbol)
        if left < 0:
            raise DamageError
        after, unread = network.read(np.maximum(ids, 0), states), np.flatnonzero(ids < 0)
        for old, new in zip(states, after, strict=True):
            if len(unread):  # without an id, nothing is read
                new[unread] = old[unread]
        states = after
        watch(live)
    return found
