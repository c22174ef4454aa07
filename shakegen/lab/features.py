"""Features of a text that a unit of a network may follow, and how closely one follows them. Only numpy."""

from collections.abc import Callable, Iterable

import numpy as np

PAIRS = {"“": "”", "„": "“", "«": "»"}
BRACKETS = {"(": ")", "[": "]", "{": "}"}


def in_quote(text: str) -> np.ndarray:
    """Whether a quotation is open after each character; a straight quotation mark opens and closes.

    An empty line ends every quotation, so that one mark too many does not turn all that follows inside out.
    """
    closing, found, last = None, [], ""
    for character in text:
        if character == last == "\n" or character == closing:
            closing = None
        elif closing is None:
            closing = '"' if character == '"' else PAIRS.get(character)
        found.append(closing is not None)
        last = character
    return np.array(found, float)


def in_bracket(text: str) -> np.ndarray:
    """Whether a bracket is open after each character; one that closes another kind is passed over."""
    expected, found = [], []
    for character in text:
        if character in BRACKETS:
            expected.append(BRACKETS[character])
        elif expected and character == expected[-1]:
            expected.pop()
        found.append(bool(expected))
    return np.array(found, float)


def line_position(text: str) -> np.ndarray:
    """How many characters each is from the beginning of its line; a line end is at 0."""
    found, position = [], 0
    for character in text:
        position = 0 if character == "\n" else position + 1
        found.append(position)
    return np.array(found, float)


FEATURES: dict[str, Callable[[str], np.ndarray]] = {
    "quote": in_quote,
    "bracket": in_bracket,
    "line-position": line_position,
}


def feature_of(name: str, symbols: Iterable[str]) -> np.ndarray:
    """A feature after each symbol of a text, shape (T,).

    Args:
        name: of FEATURES.
        symbols: characters, or words.

    Raises:
        ValueError: there is no such feature, or it is the same all along the text.
    """
    if name not in FEATURES:
        raise ValueError(f"there is no feature {name!r}: expected one of {', '.join(FEATURES)}")
    symbols = list(symbols)
    ends = np.cumsum([len(symbol) for symbol in symbols]) - 1
    found = FEATURES[name]("".join(symbols))[ends]
    if np.ptp(found) == 0:
        raise ValueError(f"the feature {name} is the same all along the text: try another text, or a longer one")
    return found


def correlations(signals: np.ndarray, feature: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each of U signals with a feature: shapes (T, U) and (T,) give (U,); 0 for a constant."""
    return standardised(signals).T @ standardised(feature) / len(feature)


def chance(signals: np.ndarray, feature: np.ndarray, random_state: int, shifts: int = 100) -> float:
    """The absolute correlation that the best of all signals exceeds by chance in 1 of 20 cases.

    Both a text's features and a network's units change slowly, so that even unrelated ones correlate. The feature is
    moved along the text, round its end, by random distances: that keeps how it changes, and parts it from the units.

    Args:
        signals: shape (T, U).
        feature: shape (T,).
        random_state: of the distances.
        shifts: how many.
    """
    distances = np.random.default_rng(random_state).integers(1, max(2, len(feature)), size=shifts)
    signals, feature = standardised(signals), standardised(feature)
    best = [np.abs(signals.T @ np.roll(feature, distance)).max() / len(feature) for distance in distances]
    return float(np.quantile(best, 0.95))


def together(signals: np.ndarray, feature: np.ndarray) -> float:
    """The correlation of a feature with a mixture of all signals, fitted on the first half of a text, on the second.

    The mixture is linear, by least squares with a ridge of a hundredth of the signals' mean variance.

    Args:
        signals: shape (T, U).
        feature: shape (T,).

    Returns:
        -1 to 1; 0 where the feature does not vary in one of the halves.
    """
    half = len(feature) // 2
    centre, target = signals[:half].mean(axis=0), feature[:half] - feature[:half].mean()
    known = signals[:half] - centre
    products = known.T @ known
    ridge = 0.01 * np.trace(products) / len(products) + 1e-12
    weights = np.linalg.solve(products + ridge * np.eye(len(products)), known.T @ target)
    return float(correlations(((signals[half:] - centre) @ weights)[:, None], feature[half:])[0])


def standardised(values: np.ndarray) -> np.ndarray:
    """Values with a mean of 0 and a deviation of 1 along the first axis; 0 where they do not vary."""
    values = np.asarray(values, float)
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-12)
