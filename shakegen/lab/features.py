"""Features of a text that a unit may follow, and how closely units follow them. Only numpy."""

from collections.abc import Callable, Iterable

import numpy as np

from shakegen.lab.read_out import ridge

PAIRS = {"“": "”", "„": "“", "«": "»"}
SHIFTS = 100  # of a feature along the text, which measure chance
BRACKETS = {"(": ")", "[": "]", "{": "}"}


def in_quote(text: str) -> np.ndarray:
    """Whether a quotation is open after each character; a straight quotation mark opens and closes.

    An empty line ends every quotation, so that one mark too many does not turn the rest of the text inside out.
    """
    closing, is_open, last = None, [], ""
    for character in text:
        if character == last == "\n" or character == closing:
            closing = None
        elif closing is None:
            closing = '"' if character == '"' else PAIRS.get(character)
        is_open.append(closing is not None)
        last = character
    return np.array(is_open, float)


def in_bracket(text: str) -> np.ndarray:
    """Whether a bracket is open after each character; one that closes another kind is passed over."""
    expected, is_open = [], []
    for character in text:
        if character in BRACKETS:
            expected.append(BRACKETS[character])
        elif expected and character == expected[-1]:
            expected.pop()
        is_open.append(bool(expected))
    return np.array(is_open, float)


def line_position(text: str) -> np.ndarray:
    """The distance of each character from the beginning of its line; a line end is at 0."""
    positions, position = [], 0
    for character in text:
        position = 0 if character == "\n" else position + 1
        positions.append(position)
    return np.array(positions, float)


FEATURES: dict[str, Callable[[str], np.ndarray]] = {
    "quote": in_quote,
    "bracket": in_bracket,
    "line-position": line_position,
}


def compute_feature(name: str, symbols: Iterable[str]) -> np.ndarray:
    """A feature after each symbol of a text, shape (T,).

    Args:
        name: of FEATURES.
        symbols: characters, or words.

    Raises:
        ValueError: the feature does not exist, or is the same all along the text.
    """
    if name not in FEATURES:
        raise ValueError(f"there is no feature {name!r}: expected one of {', '.join(FEATURES)}")
    symbols = list(symbols)
    ends = np.cumsum([len(symbol) for symbol in symbols]) - 1
    feature = FEATURES[name]("".join(symbols))[ends]
    if np.ptp(feature) == 0:
        raise ValueError(f"the feature {name} is the same all along the text: try another text, or a longer one")
    return feature


def correlations(signals: np.ndarray, feature: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each of U signals with a feature: shapes (T, U) and (T,) give (U,); 0 for a constant."""
    return standardise(signals).T @ standardise(feature) / len(feature)


def chance(signals: np.ndarray, feature: np.ndarray, random_state: int) -> float:
    """The absolute correlation that the best signal exceeds by chance in 1 of 20 cases.

    Features and units change slowly, so that even unrelated ones correlate. To measure chance, the feature is
    shifted along the text, round its end, by random distances: it changes as before, but no longer fits.

    Args:
        signals: shape (T, U).
        feature: shape (T,).
        random_state: seed of the distances.
    """
    distances = np.random.default_rng(random_state).integers(1, max(2, len(feature)), size=SHIFTS)
    signals, feature = standardise(signals), standardise(feature)
    best = [np.abs(signals.T @ np.roll(feature, distance)).max() / len(feature) for distance in distances]
    return float(np.quantile(best, 0.95))


def combined_correlation(signals: np.ndarray, feature: np.ndarray) -> float:
    """The correlation of a feature with the best mixture of all signals, on the second half of a text.

    Ridge regression fits the mixture on the first half; the penalty is a hundredth of the mean variance of the signals.

    Args:
        signals: shape (T, U).
        feature: shape (T,).

    Returns:
        -1 to 1; 0 where the feature does not vary in one of the halves.
    """
    half = len(feature) // 2
    penalty = 0.01 * signals[:half].var(axis=0).mean() + 1e-12
    W, b = ridge(signals[:half], feature[:half, None], penalty)
    return float(correlations(signals[half:] @ W + b, feature[half:])[0])


def standardise(values: np.ndarray) -> np.ndarray:
    """Scale values to a mean of 0 and a deviation of 1 along the first axis; 0 where they do not vary."""
    values = np.asarray(values, float)
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-12)
