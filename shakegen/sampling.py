"""Drawing a text, one character at a time, from any step function `(ids, state) → (logits, state)`.

A step function reads ids of shape (N,) in N streams and gives logits of shape (N, V) and the state, an array whose
first axis is the stream. It may reuse the memory of the state and of the logits at the next step.
"""

from collections.abc import Callable, Iterator

import numpy as np

Step = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
NOISE = 1 << 14  # random numbers drawn at a time and stream


def ancestral(
    step: Step,
    logits: np.ndarray,
    state: np.ndarray,
    length: int,
    temperature: float = 1.0,
    random_state: int = 0,
) -> Iterator[np.ndarray]:
    """Draw each character from softmax(logits / temperature), given all before it, in N streams at once.

    A draw is argmax(logits + temperature · Gumbel noise), which has that distribution (Gumbel 1954, the "Gumbel-max
    trick"). The noise of stream i depends on `random_state` and i alone.

    Args:
        step: the step function.
        logits: of the first character to draw, shape (N, V).
        state: what `step` gave with them, or a start.
        length: how many characters to draw.
        temperature: 0 takes the likeliest character (greedy); 1 the network's own distribution.
        random_state: a whole number ≥ 0.

    Yields:
        The drawn ids, shape (N,), `length` times. The array is reused: copy what is to be kept.

    Raises:
        ValueError: an argument is out of range.
    """
    check(length, temperature, random_state)
    ids, noisy = np.empty(len(logits), np.intp), np.empty_like(logits)
    add, argmax = np.add, noisy.argmax
    noise = gumbel_noise(logits.shape, temperature, random_state, logits.dtype)
    for count in range(length):
        if count:
            logits, state = step(ids, state)
        if temperature:
            add(logits, next(noise), noisy)
            argmax(1, ids)
        else:
            logits.argmax(1, ids)
        yield ids


def gumbel_noise(shape, scale: float, random_state: int, dtype) -> Iterator[np.ndarray]:
    """Arrays of shape (N, V) of independent Gumbel noise times `scale`, without end."""
    streams, symbols = shape
    generators = [np.random.default_rng((random_state, stream)) for stream in range(streams)]
    block = max(1, NOISE // symbols)
    noise = np.empty((block, streams, symbols), dtype)
    while True:
        for stream, generator in enumerate(generators):
            noise[:, stream] = -scale * np.log(generator.standard_exponential((block, symbols)))
        yield from noise


def check(length: int, temperature: float, random_state: int) -> None:
    if length < 0:
        raise ValueError(f"the length is {length}: expected a number of characters, 0 or more")
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"the temperature is {temperature}: expected 0 (greedy) or more; 0.5 is careful, 1 is free")
    if random_state < 0:
        raise ValueError(f"the random state is {random_state}: expected a whole number, 0 or more")
