"""Ancestral sampling: each id is drawn given all before it."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from shakegen.checks import is_number, is_whole
from shakegen.sampling.constraints import Rules
from shakegen.sampling.many_symbols import MANY, draw_among_many
from shakegen.sampling.temperatures import Ramp, Steered
from shakegen.sampling.truncation import Truncation

Step = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
NOISE, MOST_NOISE = 1 << 14, 1 << 24  # random numbers drawn at a time for a stream, and for all of them
TRIES = 6  # runners-up that are tested one by one, before the whole truncation is computed
LARGEST_SCALE = 1e30  # of the noise: a larger scale overflows 32 bits and changes nothing


def ancestral(
    step: Step,
    logits: np.ndarray,
    state: np.ndarray,
    length: int,
    temperature: float | tuple[float, float] = 1.0,
    random_state: int = 0,
    rules: Rules | None = None,
    perplexity: float | None = None,
    **truncations,
) -> Iterator[np.ndarray]:
    """Draw each id from softmax(logits / temperature), perhaps ruled and truncated, in N streams at once.

    A draw is argmax(logits + temperature · Gumbel noise), which has that distribution (Gumbel 1954, the "Gumbel-max
    trick"); the argmax over a part of the ids has the distribution renormalised to that part. The noise of stream i
    depends on `random_state` and i alone. Among 4,096 ids or more, at a temperature that stays, the draw is that of
    `many_symbols`.

    Args:
        step: the step function.
        logits: of the first id to draw, shape (N, V).
        state: of the N streams, as `step` returned it with these logits.
        length: the number of ids to draw.
        temperature: divides the logits, before any truncation; 0 takes the likeliest id (greedy). Two go from the
            first to the second.
        random_state: a whole number ≥ 0.
        rules: what may be drawn, for N streams; they apply first, and follow the draw.
        perplexity: the wanted perplexity per symbol; then the temperature is steered, as by `temperatures.Steered`, and
            none may be given.
        truncations: `top_k`, `top_p`, `min_p`, `typical`, as for `Truncation`.

    Returns:
        An iterator over `length` arrays of drawn ids, shape (N,). It reuses one array: copy it to keep it.

    Raises:
        ValueError: an argument is out of range.
        DeadEnd: while drawing, the rules leave no id.
    """
    check_draw(length, temperature, random_state, changes=True)
    truncation, rules = Truncation(**truncations), rules or None
    changing = change_temperature(temperature, perplexity, length, len(logits))
    given = step, logits, state, length, changing or temperature, random_state
    if changing or not temperature:
        return draw_several(*given, truncation, rules) if changing or rules else draw_plain(*given)
    if logits.shape[1] >= MANY:
        return draw_among_many(*given, truncation, rules)
    if not truncation and not rules:
        return draw_plain(*given)
    return (draw_one if len(logits) == 1 else draw_several)(*given, truncation, rules)


def draw_plain(step, logits, state, length, temperature, random_state):
    ids, noisy = np.empty(len(logits), np.intp), np.empty_like(logits)
    add, argmax = np.add, noisy.argmax
    noise = draw_gumbel_noise(logits.shape, temperature, random_state, logits.dtype, length)
    for count in range(length):
        if count:
            logits, state = step(ids, state)
        if temperature:
            add(logits, next(noise), noisy)
            argmax(1, ids)
        else:
            logits.argmax(1, ids)
        yield ids


def draw_runner_up(logits, noisy, allows, truncation, temperature) -> int:
    """The winner among the allowed ids of one stream, given that the overall winner is not allowed."""
    for _ in range(TRIES):
        noisy[0, noisy.argmax()] = -np.inf
        second = int(noisy.argmax())
        if allows(logits[0], second):
            return second
    noisy[~truncation.keep(logits, temperature)] = -np.inf
    return int(noisy.argmax())


def draw_several(step, logits, state, length, temperature, random_state, truncation, rules):
    """Truncated or ruled draws in several streams, or at a temperature that changes."""
    ids, noisy = np.empty(len(logits), np.intp), np.empty_like(logits)
    argmax, streams = noisy.argmax, range(len(logits))
    changing = temperature if isinstance(temperature, Ramp | Steered) else None
    noise = draw_gumbel_noise(logits.shape, 1.0 if changing else temperature, random_state, logits.dtype, length)
    lazy = rules is not None and rules.lazy and not truncation
    for count in range(length):
        if count:
            logits, state = step(ids, state)
        weighed = rules.weigh(logits, noisy, every=not lazy) if rules else logits
        if changing:
            np.divide(weighed, changing.now, noisy)
        elif not rules:
            np.copyto(noisy, logits)
        if truncation:
            noisy[~truncation.keep(noisy, 1.0 if changing else temperature)] = -np.inf
        if temperature:
            np.add(noisy, next(noise), noisy)
        argmax(1, ids)
        for stream in streams if rules else ():
            # An id that is allowed and wins also wins among the allowed ids: no need to know the others.
            drawn = ids.item(stream)
            while (highest := noisy.item(stream, drawn)) > -np.inf and lazy and not rules.allows(stream, drawn):
                noisy[stream, drawn] = -np.inf
                drawn = ids[stream] = int(noisy[stream].argmax())
            if highest == -np.inf and not rules.finished[stream]:
                rules.refuse_dead_end()
        if changing:
            changing.observe(logits, ids)
        if rules:
            rules.advance(ids)
        yield ids


def draw_one(step, logits, state, length, temperature, random_state, truncation, rules):
    """As `draw_several`, but faster, for one stream at a temperature that stays."""
    ids, noisy, weighed = np.empty(1, np.intp), np.empty_like(logits), np.empty_like(logits)
    add, argmax, ruled = np.add, noisy.argmax, rules is not None
    noise = draw_gumbel_noise(logits.shape, temperature, random_state, logits.dtype, length)
    test = truncation.single(temperature, logits.shape[1], logits.dtype) if truncation else None
    lazy = ruled and rules.lazy and not truncation
    for count in range(length):
        if count:
            logits, state = step(ids, state)
        weights = rules.weights_of_one(not lazy) if ruled else None
        source = logits if weights is None else add(logits, weights, weighed)
        add(source, next(noise), noisy)
        argmax(1, ids)
        drawn = ids.item()
        # If the overall winner is allowed, it also wins among the allowed ids: no need to know the others.
        if test is not None and not test(source[0], drawn):
            drawn = ids[0] = draw_runner_up(source, noisy, test, truncation, temperature)
        elif lazy:
            while not rules.allows(0, drawn) and noisy.item(drawn) > -np.inf:
                noisy[0, drawn] = -np.inf
                drawn = ids[0] = int(noisy.argmax())
        if ruled:
            if noisy.item(drawn) == -np.inf:
                rules.refuse_dead_end()
            rules.advance_one(drawn)
        yield ids


def change_temperature(temperature, perplexity: float | None, length: int, streams: int) -> Ramp | Steered | None:
    """The temperature as it changes along a text; None if it stays."""
    if perplexity is not None:
        if temperature != 1:
            raise ValueError(f"the temperature is {temperature!r}, but the perplexity steers it: leave one of them out")
        return Steered(perplexity, streams)
    return Ramp(temperature, length) if isinstance(temperature, tuple | list) else None


def draw_gumbel_noise(shape, scale: float, random_state: int, dtype, length: int) -> Iterator[np.ndarray]:
    """Endless arrays of independent Gumbel noise times `scale`, shape (N, V), made for about `length` of them."""
    streams, symbols = shape
    generators = [np.random.default_rng((random_state, stream)) for stream in range(streams)]
    block = max(1, min(NOISE // symbols, MOST_NOISE // (streams * symbols), length))
    scale = min(scale, LARGEST_SCALE)
    noise = np.empty((block, streams, symbols), dtype)
    while True:
        for stream, generator in enumerate(generators):
            noise[:, stream] = -scale * np.log(generator.standard_exponential((block, symbols)))
        yield from noise


def check_draw(length: int, temperature, random_state: int, count: int = 1, changes: bool = False) -> None:
    """Check the numbers of a draw; the temperature may be two numbers where it can change along the text.

    Raises:
        ValueError: a number is out of range; the message says what was expected.
    """
    if not is_whole(count, 1):
        raise ValueError(f"the count is {count!r}: expected 1 text or more")
    if not is_whole(length, 0):
        raise ValueError(f"the length is {length!r}: expected a number of characters, 0 or more")
    if changes and isinstance(temperature, tuple | list):
        Ramp(temperature, length)
    elif not is_number(temperature, 0):
        raise ValueError(f"the temperature is {temperature!r}: expected 0 (greedy) or more; 0.5 is careful, 1 is free")
    if not is_whole(random_state, 0, math.inf):
        raise ValueError(f"the random state is {random_state!r}: expected a whole number, 0 or more")
