"""Texts as subwords: pieces of words that are often together, made by byte-pair encoding (Sennrich et al. 2016).

Every word is cut into pieces. It begins as its characters. Of all neighbours that together are a piece of the
vocabulary, those whose piece has the lowest id become one, again and again. Frequent words are one piece, new ones
several. Words are those of `word_vocabulary`, but letters of scripts that write no spaces stand in words, too.

A character that is no piece is spelled by the hexadecimal digits of its bytes in UTF-8, which are 16 symbols without a
text of their own. So `decode(encode(text))` is the text, of every text. These symbols are never written.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from shakegen.checks import is_whole, require
from shakegen.text.vocabulary import LARGEST, UNKNOWN
from shakegen.text.word_vocabulary import KEPT, ListedVocabulary, count_words, tokenize_blocks

DIGITS = "0123456789abcdef"
LEAST = 128  # symbols
MOST = 4096  # usual
PAIRS = 100  # a usual piece is made of two that are neighbours so often
SURROGATES = re.compile("[\ud800-\udfff]")
SEPARATORS = range(0xE000, 0x110000)
BATCH = 1 << 16  # words


class SubwordVocabulary(ListedVocabulary):
    """The pieces of words that a model knows, in the order in which they are joined, and 16 digits.

    Args:
        symbols: the distinct pieces; the id of a piece is its place. The digits have the last 16 ids.

    Raises:
        ValueError: there is no piece, one occurs twice, or one is empty or too long.
    """

    apart = False
    level, symbol = "subword", "subword"
    reads_all = True
    grows = False

    def __init__(self, symbols: Iterable[str]):
        super().__init__(symbols)

    @classmethod
    def learn(cls, blocks: Iterable[str], size: int | None = None, alphabet: Sequence[str] = ()) -> "SubwordVocabulary":
        """The vocabulary of a text in blocks, `size` symbols in all.

        Characters that occur twice are pieces, half of all pieces at most. By default, two pieces become one where they
        are neighbours 100 times or more, until there are 4,096 symbols.

        Raises:
            ValueError: the size is out of range, or the package tokenizers is not installed.
        """
        require(["tokenizers"], "the level subword")
        if size is not None and not is_whole(size, LEAST, LARGEST):
            raise ValueError(
                f"the vocabulary size is {size!r}: expected {LEAST}, {len(DIGITS)} digits and subwords, to {LARGEST:,}"
            )
        most, words = (size or MOST) - len(DIGITS), count_words(tokenize_blocks(blocks, apart=False))
        counts: Counter[str] = Counter()
        for word, number in words.items():
            for character in word:
                counts[character] += number
        ranked = sorted(counts, key=lambda character: (-counts[character], character))
        often = [character for character in ranked if counts[character] > 1 and not SURROGATES.match(character)]
        return cls(join_pairs(words, often[: most // 2], most, PAIRS if size is None else 2) or ["\n"])

    @classmethod
    def from_json(cls, symbols: list) -> "SubwordVocabulary":
        end = max(0, len(symbols) - len(DIGITS))
        if symbols[end:] != [None] * len(DIGITS):
            raise ValueError(f"a vocabulary of subwords ends in {len(DIGITS)} symbols without a text")
        return cls(symbols[:end])

    def __len__(self) -> int:
        return len(self.symbols) + len(DIGITS)

    def spell(self, symbol: str) -> list[int]:
        """The ids of the digits of a character that is no piece."""
        raw = symbol.encode("utf-8", "surrogatepass")
        return [len(self.symbols) + DIGITS.index(digit) for digit in raw.hex()]

    def _spell_out(self, ids: np.ndarray, missing: np.ndarray, unknown: list[str]) -> np.ndarray:
        spelled = [self.spell(symbol) for symbol in unknown]
        places = np.repeat(missing - np.arange(len(missing)), [*map(len, spelled)])
        digits = np.array([*itertools.chain.from_iterable(spelled)], self.dtype)
        return np.insert(np.delete(ids, missing).astype(self.dtype, copy=False), places, digits)

    def spelling(self, symbol: str) -> float:
        """Nothing: digits are predicted like all symbols."""
        return 0.0

    def decode(self, ids: Iterable[int]) -> str:
        texts, numbers = [*self.symbols, *DIGITS], self.check_ids(ids).tolist()
        runs = itertools.groupby(numbers, lambda number: number >= len(self.symbols))
        joined = ((spelled, "".join([texts[k] for k in run])) for spelled, run in runs)
        return "".join(read_digits(text) if spelled else text for spelled, text in joined)

    def symbols_of(self, blocks: Iterable[str]) -> Iterator[Sequence[str]]:
        for words in tokenize_blocks(blocks, apart=False):
            yield list(itertools.chain.from_iterable(map(self._pieces.__getitem__, words)))

    @cached_property
    def _pieces(self) -> "Pieces":
        return Pieces(self._ids)


class Pieces(dict):
    """The pieces of each word, kept because most words come again."""

    def __init__(self, ranks: dict[str, int]):
        super().__init__()
        self._ranks = ranks

    def __missing__(self, word: str) -> list[str]:
        pieces, rank, none = [*word], self._ranks.get, len(self._ranks)
        while len(pieces) > 1:
            found = [rank(one + other, none) for one, other in itertools.pairwise(pieces)]
            best = min(found)
            if best == none:
                break
            place = found.index(best)
            pieces[place : place + 2] = ["".join(pieces[place : place + 2])]
        if len(self) > KEPT:
            self.clear()
        self[word] = pieces
        return pieces


def read_digits(digits: str) -> str:
    """The text of hexadecimal digits; digits that are no UTF-8 show as U+FFFD."""
    raw, rest = bytes.fromhex(digits[: len(digits) // 2 * 2]), UNKNOWN * (len(digits) % 2)
    try:
        return raw.decode("utf-8", "surrogatepass") + rest
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace") + rest


def join_pairs(words: Counter, characters: Sequence[str], most: int, least: int) -> list[str]:
    """Characters, and the pieces that byte-pair encoding makes of them, in the order in which they are joined.

    Args:
        words: how often each word occurs.
        characters: those of pieces.
        most: pieces.
        least: how often two pieces must be neighbours.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    between = next(one for one in map(chr, SEPARATORS) if one not in characters)
    apart = {ord(character): between for character in {*"".join(words)}.difference(characters)}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(between, "removed")
    trainer = trainers.BpeTrainer(vocab_size=most, min_frequency=least, show_progress=False)
    elements = iter(words.elements())
    batches = iter(lambda: between.join(itertools.islice(elements, BATCH)).translate(apart), "")
    tokenizer.train_from_iterator(batches, trainer)
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.__getitem__)
