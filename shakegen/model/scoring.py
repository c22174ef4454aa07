"""Which of several models a text suits best, and how sure that is. Only numpy.

Every model is a code for any text. A symbol that it does not know costs an escape and its spelling; a model with an
unknown symbol predicts the escape itself. So models of other alphabets, and of words, compare. Each reads a line end
before a text, and all characters count.
"""

import itertools
import math
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from shakegen.model.evaluation import LN2
from shakegen.model.protocols import Dynamic

ESCAPE = 2.0**-12  # the share that a model without an unknown symbol keeps for all that it does not know
BEFORE = "\n "  # the first of these that a model knows is read before a text
WORD = re.compile(r"\s*\S{1,16}|\s+")  # with the space before it, as models of words read it
FEWEST = 4  # words that show a spread
LEAST = -1000.0  # the least exponent of a likelihood
PIECES = {
    "file": re.compile(r"(?s:.+)"),
    "paragraph": re.compile(r"(?m)(?:^.*\S.*\n?)+"),
    "line": re.compile(r"(?m)^.*\S.*\n?"),
}  # blank lines belong to none; matches begin at lines, or long blanks would take long


class CharacterBits(NamedTuple):
    """The cost of a text under a model.

    Attributes:
        bits: of each character, shape (characters,); the bits of a word stand at its first one.
        unknown: whether the model did not know it, shape (characters,).
    """

    bits: np.ndarray
    unknown: np.ndarray


class Evidence(NamedTuple):
    """How much likelier a text is under the best of several models than under the second.

    Attributes:
        best, second: their names.
        bits: the base-2 logarithm of the ratio of the two likelihoods.
        standard_error: of these bits, from the spread of the differences over words, which count as independent; None
            where there are fewer than four. Of few words it is larger, as Student's distribution is wider.
        posterior: the probability of each model by name, if one of them wrote the text and all were as likely before.
    """

    best: str
    second: str
    bits: float
    standard_error: float | None
    posterior: dict[str, float]

    @property
    def is_clear(self) -> bool:
        """Whether it is two standard errors or more: other words from the same hand would hardly say otherwise."""
        return self.standard_error is not None and self.bits > 0 and self.bits >= 2 * self.standard_error


class Piece(NamedTuple):
    """A file, a paragraph or a line under several models.

    Attributes:
        file: where it stands.
        line: the number of its first line there; both are None of several files together.
        text: its characters.
        bits: in all, by the names of the models.
        unknown: how many characters each model does not know.
        evidence: for the best model; None where there is only one.
    """

    file: str | None
    line: int | None
    text: str
    bits: dict[str, float]
    unknown: dict[str, int]
    evidence: Evidence | None

    @property
    def bits_per_character(self) -> dict[str, float]:
        """By the names of the models."""
        return {name: bits / len(self.text) for name, bits in self.bits.items()}

    def to_dict(self) -> dict:
        """All figures, ready for JSON."""
        place = {"file": self.file, "line": self.line, "characters": len(self.text)}
        figures = {"bits_per_character": self.bits_per_character, "bits": self.bits, "unknown": self.unknown}
        return {**place, **figures, "evidence": self.evidence and self.evidence._asdict()}


def score(
    models: Mapping, texts: Mapping[str, str], by: str = "file", dynamic: Dynamic | None = None
) -> tuple[list[Piece], Piece]:
    """The pieces of some texts under several models, and all texts together.

    A text is read in order. So lines and paragraphs are judged by all that stands before them, too.

    Args:
        models: `LanguageModel`s, or `Ensemble`s, by name.
        texts: by the names of their files.
        by: "file", "paragraph" or "line".
        dynamic: lets each model learn from what it has read of a text.

    Raises:
        ValueError: a text has nothing but white space, or there is no such piece.
    """
    if by not in PIECES:
        raise ValueError(f"the pieces are {by!r}: expected one of {', '.join(PIECES)}")
    pieces, costs = [], []
    for file, text in texts.items():
        if not text.strip():
            raise ValueError(f"{file} has nothing but white space: expected some text to score")
        costs.append({name: measure_characters(model, text, dynamic) for name, model in models.items()})
        line, at = 1, 0
        for match in PIECES[by].finditer(text):
            line, at = line + text.count("\n", at, match.start()), match.start()
            own = {name: CharacterBits(*(one[slice(*match.span())] for one in all)) for name, all in costs[-1].items()}
            pieces.append(make_piece(file, line, match[0], own))
    joined = {name: CharacterBits(*map(np.concatenate, zip(*(c[name] for c in costs), strict=True))) for name in models}
    return pieces, make_piece(None, None, "".join(texts.values()), joined)


def make_piece(file: str | None, line: int | None, text: str, costs: Mapping[str, CharacterBits]) -> Piece:
    """A piece, from what each model says of its characters."""
    bits = {name: float(one.bits.sum()) for name, one in costs.items()}
    unknown = {name: int(one.unknown.sum()) for name, one in costs.items()}
    evidence = weigh({name: one.bits for name, one in costs.items()}, text) if len(costs) > 1 else None
    return Piece(file, line, text, bits, unknown, evidence)


def measure_characters(model, text: str, dynamic: Dynamic | None = None) -> CharacterBits:
    """The cost of each character of a text under a `LanguageModel`; arguments as for `score`."""
    vocabulary = model.vocabulary
    symbols = list(itertools.chain.from_iterable(vocabulary.symbols_of([text])))
    numbers = {symbol: number for number, symbol in enumerate(vocabulary.symbols)}
    known = np.array([symbol in numbers for symbol in symbols], bool)
    lengths = np.array([len(symbol) for symbol in symbols], int)
    nats = np.zeros(len(symbols))
    if not vocabulary.reads_all:
        nats[:] = np.where(known, -math.log1p(-ESCAPE), -math.log(ESCAPE))
    read = [[numbers[symbol]] if symbol in numbers else vocabulary.spell(symbol) for symbol in symbols]
    ids = [*itertools.chain.from_iterable(read)]
    if ids:
        first = next((numbers[one] for one in BEFORE if one in numbers), 0)
        found = np.concatenate([block for block, _ in model.surprisal(np.array([first, *ids]), dynamic)])
        np.add.at(nats, np.repeat(np.arange(len(symbols)), [*map(len, read)]), found)
    nats[~known] += [vocabulary.spelling(symbol) for symbol in itertools.compress(symbols, ~known)]
    bits = np.zeros(len(text))
    bits[np.cumsum(lengths) - lengths] = nats / LN2
    return CharacterBits(bits, np.repeat(~known, lengths))


def weigh(bits: Mapping[str, np.ndarray], text: str) -> Evidence:
    """The evidence of a text for the best of several models.

    Args:
        bits: of each character, by the names of two models or more.
        text: the characters.
    """
    totals = {name: float(one.sum()) for name, one in bits.items()}
    best, second, *_ = sorted(totals, key=totals.__getitem__)
    words = [match.start() for match in WORD.finditer(text)]
    differences, count, error = np.add.reduceat(bits[second] - bits[best], words), len(words), None
    if count >= FEWEST:
        wider = (count - 1) / (count - 3)  # the variance of Student's distribution
        error = math.sqrt(count * float(differences.var(ddof=1)) * wider)
    shares = {name: 2.0 ** max(totals[best] - total, LEAST) for name, total in totals.items()}
    whole = sum(shares.values())
    posterior = {name: share / whole for name, share in shares.items()}
    return Evidence(best, second, totals[second] - totals[best], error, posterior)
