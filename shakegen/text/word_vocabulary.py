"""Texts as words: the rules that split any text into words, and the vocabulary of words.

A symbol is a word, a number, a punctuation mark or white space. One space before a word, number or mark belongs to it:
"Thou art, thou" is "Thou", " art", ",", " thou". So joining the symbols gives the text, and few symbols are spaces.

- A word is letters with their accents, and apostrophes between them: "summer's". In scripts that write no spaces
  (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan) it is one character.
- Up to four digits are one symbol.
- An emoji with its skin tone, its marks and what a joiner joins to it is one symbol, and so is a flag that two letters
  spell, and some marks in a row: "...", "--", "==". Keycaps and flags made of tags are several.
- Line ends are symbols of their own, and so is white space, except the one space that belongs to the next symbol.

Very long symbols are cut, so that a text can be read in blocks.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache, cached_property

import numpy as np

from shakegen.text.spelling import Spelling
from shakegen.text.vocabulary import UNKNOWN, Vocabulary

MOST = 16_384  # symbols of a usual vocabulary
MOST_COUNTED = 1 << 20
KEPT = 1 << 18  # chunks, or words, whose symbols are kept
LONGEST_KEPT = 32  # characters of such a chunk: longer ones hardly come again
LONGEST, HORIZON = 128, 512  # characters of a symbol; of a chunk and the text that decides its end
CHUNK = re.compile(r" ?\S{1,500}|\s{1,500}?(?= \S)|\s{1,500}")  # the end of a chunk is the end of a symbol
LAST_CHUNK = re.compile(r" ?\S{1,500}\Z|\s{0,500}\Z")
APART = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u303c\u3041-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
LETTERS_END, LATER_MARKS = 0x20000, range(0xE0100, 0xE01F0)
JOINERS = "\u200c\u200d"
RUNS = "|".join(rf"{re.escape(mark)}{{2,8}}" for mark in ".-=*/_#")
SPACES = r"\n{1,8}|[^\S\n]{1,16}?(?= \S)|[^\S\n]{1,16}"


class UnknownWords(ValueError):
    """A text has words that a vocabulary lacks: `words`, in order of appearance.

    Args:
        words: these words.
        known: the words of the vocabulary; by default none is said to be like one of these.
    """

    def __init__(self, words: Iterable[str], known: Container[str] = ()):
        self.words = list(dict.fromkeys(words))
        named, more = ", ".join(map(repr, self.words[:8])), len(self.words) - 8
        named += f" and {more} more" if more > 0 else ""
        likes = (word[1:] if word.startswith(" ") else f" {word}" for word in self.words[:8])
        like = ", ".join(repr(one) for one in likes if one in known)
        named += f" (but {like}: a space belongs to the word after it)" if like else ""
        super().__init__(
            f"the model does not know {named}: use words of its training text, skip the unknown ones "
            "(`on_unknown='skip'`) or read them as its unknown symbol (`on_unknown='symbol'`)"
        )


class ListedVocabulary(Vocabulary):
    """Symbols of several characters; the id of a symbol is its place in a list."""

    apart = True  # as for `symbol_pattern`

    @classmethod
    def _in_order(cls, symbols: tuple) -> tuple[str, ...]:
        if not symbols:
            raise ValueError(f"a vocabulary needs at least one {cls.symbol}")
        if any(not isinstance(s, str) or not 0 < len(s) < LONGEST for s in symbols):
            raise ValueError(f"every symbol of a vocabulary must be a {cls.symbol} of 1 to {LONGEST - 1} characters")
        return symbols

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self.symbols[:5]))
        return f"{type(self).__name__} of {len(self.symbols)} {self.symbol}s, {shown} …"

    def decode(self, ids: Iterable[int]) -> str:
        texts = self.symbols
        return "".join([texts[k] if k < len(texts) else UNKNOWN for k in self.check_ids(ids).tolist()])

    def pending(self, text: str) -> str:
        """A space at the end of a text: it belongs to the next word."""
        return " " if text.endswith(" ") and self._spaced else ""

    def unsettled(self, text: str) -> str:
        """The last two words that no space parts, or the white space at the end, but what is `pending`."""
        found = LAST_CHUNK.search(text.removesuffix(self.pending(text)))
        symbols = itertools.chain.from_iterable(tokenize_blocks([found[0]], self.apart) if found else ())
        return "".join([*symbols][-2:])  # as in don't, of which `don'` are two

    @cached_property
    def _spaced(self) -> bool:
        return any(symbol.startswith(" ") for symbol in self.symbols)

    @cached_property
    def _ids(self) -> "Numbers":
        return Numbers((symbol, k) for k, symbol in enumerate(self.symbols))

    def _look_up(self, symbols: Sequence[str]) -> np.ndarray:
        dtype = np.min_scalar_type(len(self.symbols))
        return np.fromiter(map(self._ids.__getitem__, symbols), dtype, len(symbols))


class WordVocabulary(ListedVocabulary):
    """The words that a model knows; the id of a word is its place. The unknown symbol stands for every other word.

    Args:
        symbols: the distinct words, as `tokenize` gives them, usually the most frequent first.
        unknown: always true: no vocabulary has all words.

    Raises:
        ValueError: there is no symbol, one occurs twice, or one is empty or too long.
    """

    level, symbol = "word", "word"
    least = 2  # a word that occurs once is unknown, so that a network learns when to expect unknown words

    def __init__(self, symbols: Iterable[str], unknown: bool = True):
        super().__init__(symbols, unknown)
        if not unknown:
            raise ValueError("a vocabulary of words needs an unknown symbol")

    @classmethod
    def learn(cls, blocks: Iterable[str], size: int | None = None, alphabet: Sequence[str] = ()) -> Vocabulary:
        """As `Vocabulary.learn`. By default there are the words that occur twice or more, at most 16,383."""
        return super().learn(blocks, MOST if size is None else size)

    @classmethod
    def count(cls, blocks: Iterable[str]) -> Counter:
        """The number of times that each word occurs in a text in blocks, as `count_words`."""
        return count_words(tokenize_blocks(blocks))

    def symbols_of(self, blocks: Iterable[str]) -> Iterator[Sequence[str]]:
        return tokenize_blocks(blocks)

    def _refuse(self, unknown: Iterable[str]) -> UnknownWords:
        return UnknownWords(unknown, self.symbols)

    def spelling(self, symbol: str) -> float:
        """The cost of spelling an unknown word, in nats, by `Spelling`."""
        return self.spelling_code.nats(symbol)

    @cached_property
    def spelling_code(self) -> Spelling:
        """The code by which unknown words are spelled."""
        return Spelling(self.symbols)


class Numbers(dict):
    """Ids by symbol; any other symbol has the number of symbols."""

    def __missing__(self, symbol: str) -> int:
        return len(self)


def count_words(texts: Iterable[Sequence[str]]) -> Counter:
    """The number of times that each word occurs.

    With more than a million distinct words, the rarest so far are forgotten again and again (Manku & Motwani 2002):
    then only the counts of rare words are too low.
    """
    counts: Counter[str] = Counter()
    floor = 0
    for words in texts:
        counts.update(words)
        while len(counts) > MOST_COUNTED:
            floor += 1
            counts = Counter({word: n for word, n in counts.items() if n > floor})
    return counts


def tokenize(text: str) -> list[str]:
    """The symbols of a text. Joined, they are the text."""
    return [*itertools.chain.from_iterable(tokenize_blocks([text]))]


def tokenize_blocks(blocks: Iterable[str], apart: bool = True) -> Iterator[list[str]]:
    """The symbols of a text in blocks. Block borders make no difference; `apart` as for `symbol_pattern`."""
    rest, split = "", Chunks(apart)
    for block in blocks:
        rest += block
        chunks, held = CHUNK.findall(rest), 0
        while chunks and held < HORIZON:  # more text could still change them
            held += len(chunks.pop())
        rest = rest[-held:]
        if chunks:
            yield list(itertools.chain.from_iterable(map(split.__getitem__, chunks)))
    if rest:
        yield list(itertools.chain.from_iterable(map(split.__getitem__, CHUNK.findall(rest))))


class Chunks(dict):
    """The symbols of each chunk; those of short chunks are kept, because most of these come again."""

    def __init__(self, apart: bool):
        super().__init__()
        self._apart = apart

    def __missing__(self, chunk: str) -> list[str]:
        symbols = symbol_pattern(chunk.isascii(), self._apart).findall(chunk)
        if len(self) > KEPT:
            self.clear()
        if len(chunk) <= LONGEST_KEPT:
            self[chunk] = symbols
        return symbols


@cache
def symbol_pattern(ascii_only: bool, apart: bool = True) -> re.Pattern:
    """A pattern that matches one symbol.

    Args:
        ascii_only: for ASCII text, a faster pattern gives the same symbols.
        apart: whether, in scripts that write no spaces, each character is a word of its own.
    """
    if ascii_only:
        word = "[A-Za-z]{1,32}+(?:'[A-Za-z]{1,32}+)?+(?:'[A-Za-z]{1,32}+)?+"
        return re.compile(rf" ?{word}| ?(?:\d{{1,4}}|{RUNS}|\S)|{SPACES}")
    letters, marks = list_letters_and_marks(apart)
    word = f"[{letters}]{{1,32}}+(?:['’][{letters}]{{1,32}}+)?+(?:['’][{letters}]{{1,32}}+)?+"
    flag, other = "[\U0001f1e6-\U0001f1ff]{2}", rf"\S(?:[{marks}\U0001f3fb-\U0001f3ff]|\u200d\S){{0,16}}"
    return re.compile(rf" ?{word}| ?(?:\d{{1,4}}|{RUNS}|{flag}|{other})|{SPACES}")


def list_letters_and_marks(apart: bool) -> tuple[str, str]:
    """Letters, which words are made of, and combining marks, as ranges of a regular expression."""
    kinds = {c: unicodedata.category(chr(c))[0] for c in (*range(LETTERS_END), *LATER_MARKS)}
    alone = {*map(ord, re.findall(f"[{APART}]", "".join(map(chr, range(LETTERS_END)))))} if apart else set()
    letters = [*(c for c, kind in kinds.items() if kind in "LM" and c not in alone), *map(ord, JOINERS)]
    return format_ranges(letters), format_ranges(c for c, kind in kinds.items() if kind == "M")


def format_ranges(codes: Iterable[int]) -> str:
    """Code points as ranges of a regular expression, such as `a-z`."""
    pairs: list[list[int]] = []
    for code in codes:
        if pairs and pairs[-1][1] == code - 1:
            pairs[-1][1] = code
        else:
            pairs.append([code, code])
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in pairs)
