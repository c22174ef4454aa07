"""From any text to the observations of the autocomplete task, and their split. Only numpy."""

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from shakegen.checks import is_whole
from shakegen.study.autocomplete.observations import Observations, as_ascii, word_bounds, words_of
from shakegen.study.autocomplete.outputs import SPACE, SYMBOLS, Outputs
from shakegen.text import splits
from shakegen.text.catalog import Places, open_source
from shakegen.text.reading import Source, text8

VOCABULARY_SIZE, LEAST = 1 << 14, 3  # words at most, and how often each of them occurs
LENGTH, STUDY_LENGTH = 100, 200  # of observations, usually and in the study
LONG = 20_000_000  # characters of a text that is learned as in the study; text8 has 100 million


@dataclass(frozen=True, eq=False)
class AutocompleteCorpus:
    """A text as observations of the autocomplete task, with the split of the observations in three parts.

    Attributes:
        name: its name, as in `models/<name>-autocomplete-<cell>.h5`.
        words: the outputs.
        observations: the whole text, cut.
        sha256: of the text as words with a space before each, in ASCII.
        split: the fractions of observations for training, validation and test; they sum to 1.
        random_state: of the shuffle before the split.
        train, validation, test: the numbers of the observations in each part.
    """

    name: str
    words: Outputs
    observations: Observations
    sha256: str
    split: tuple[float, ...] = (0.9, 0.05, 0.05)
    random_state: int = 0
    train: np.ndarray = field(init=False, repr=False)
    validation: np.ndarray = field(init=False, repr=False)
    test: np.ndarray = field(init=False, repr=False)

    task, level, vocabulary = "autocomplete", "char", SYMBOLS

    @classmethod
    def from_source(
        cls,
        source: Source,
        vocabulary_size: int | None = None,
        length: int | None = None,
        split: tuple[float, float, float] = (0.9, 0.05, 0.05),
        random_state: int = 0,
        words: Outputs | None = None,
    ) -> "AutocompleteCorpus":
        """The words of a text as observations.

        Args:
            source: any text; it is brought to a to z and spaces as text8 was.
            vocabulary_size: how many words to predict, the most frequent of the whole text; fewer if it has fewer. By
                default 16,384, and none that occurs less than three times. Other words are unknown: they count neither
                in the loss nor in any accuracy but `study_accuracy`.
            length: T, the most characters in an observation; longer words are cut short. By default 100, and for a text
                of 20 million characters or more 200, as in the study.
            split: the fractions of observations for training, validation and test.
            random_state: of the shuffle before the split.
            words: outputs to use instead, those of a trained network.

        Raises:
            OSError, ValueError: the text cannot be read, or has no words, or a number is out of range.
        """
        if length is not None and not is_whole(length, 2, 1 << 16):
            raise ValueError(f"the observation length is {length!r}: expected 2 to {1 << 16} characters")
        if vocabulary_size is not None and not is_whole(vocabulary_size, 1, 1 << 20):
            raise ValueError(f"the vocabulary size is {vocabulary_size!r}: expected 1 to {1 << 20} words")
        if not is_whole(random_state, 0, math.inf):
            raise ValueError(f"the random state is {random_state!r}: expected a whole number, 0 or more")
        characters = encode_text(source.blocks())
        if length is None:
            length = STUDY_LENGTH if len(characters) >= LONG else LENGTH
        characters = cut_words(characters[: len(characters) - (characters[-1] == SPACE)], length - 1)
        if not len(characters):
            raise ValueError(f"{source.title} has no words: expected a text with letters from a to z")
        if words is None:
            counts: Counter[str] = Counter()
            for block in words_of(characters, word_bounds(characters)):
                counts.update(block)
            least = LEAST if vocabulary_size is None else 1
            words = Outputs.most_frequent(counts, vocabulary_size or VOCABULARY_SIZE, least)
        observations = Observations.pack(characters, words, length)
        sha256 = hashlib.sha256(as_ascii(characters)).hexdigest()
        return cls(source.name, words, observations, sha256, tuple(split), random_state)

    def __post_init__(self):
        try:
            split = splits.normalize_split(self.split)
        except ValueError:
            split = ()
        if not splits.is_shares(split):
            raise ValueError(
                f"the split {','.join(map(str, self.split))} is not usable for observations: expected three shares for "
                "training, validation and test that sum to 1, such as 0.9,0.05,0.05"
            )
        object.__setattr__(self, "split", split)
        count = len(self.observations)
        train, validation = (math.floor(count * share + 1e-6) for share in self.split[:2])
        order = np.random.default_rng(self.random_state).permutation(count)
        for name, rows in zip(("train", "validation", "test"), np.split(order, [train, train + validation])):
            object.__setattr__(self, name, rows)

    @property
    def is_long(self) -> bool:
        """Whether the text is long enough to be learned as in the study."""
        return len(self) >= LONG

    @property
    def train_targets(self) -> np.ndarray:
        """The outputs of the words of the training observations, shape (words,)."""
        learned = np.zeros(len(self.observations), bool)
        learned[self.train] = True
        return self.observations.targets[np.repeat(learned, np.diff(self.observations.first_words))]

    @property
    def output_vocabulary(self) -> Outputs:
        """The outputs of a network for it."""
        return self.words

    def __len__(self) -> int:
        """The number of characters."""
        return len(self.observations.characters)

    def origin(self) -> dict:
        """Its description in a model file."""
        sizes = {"length": len(self), "observation_length": int(self.observations.length)}
        sizes["random_state"] = int(self.random_state)
        return {"name": self.name, "sha256": self.sha256, "split": list(self.split), **sizes}

    def check_words(self, words: Outputs) -> None:
        """Refuse a network of other outputs; raises ValueError."""
        if self.words != words:
            raise ValueError("the corpus has other words than the model: expected one with words=model.words")

    def check_parts(self) -> None:
        """Refuse a training part without observations; raises ValueError."""
        if not len(self.train):
            raise ValueError(
                f"{self.name} has {len(self.observations)} observations, too few for a training part: try a longer text"
            )


def encode_text(blocks: Iterable[str]) -> np.ndarray:
    """A text as ids of `SYMBOLS`, with one space before each word, and one after the last if something ends it."""
    spaced = text8(itertools.chain([" "], blocks))
    return np.concatenate([np.frombuffer(block.encode("ascii"), np.uint8) & 31 for block in spaced])  # a is 97


def cut_words(characters: np.ndarray, letters: int) -> np.ndarray:
    """The text with the rest of every word of more than so many letters left out."""
    bounds = word_bounds(characters)
    kept = np.ones(len(characters), bool)
    for word in np.flatnonzero(np.diff(bounds) > letters + 1):
        kept[bounds[word] + 1 + letters : bounds[word + 1]] = False
    return characters[kept]


def load_autocomplete_corpus(
    source: Places, encoding: str = "utf-8", lowercase: bool = False, normalize: str | None = None, **options
) -> AutocompleteCorpus:
    """The text of files, or a named corpus, as observations of the autocomplete task.

    Args:
        source, encoding, lowercase, normalize: as for `open_source`; the text becomes words of a to z in any case.
        options: vocabulary_size, length, split, random_state, words, as for `AutocompleteCorpus.from_source`.

    Raises:
        OSError: a file cannot be read, or a named text not be fetched.
        ValueError: it has no words, or an option is out of range.
    """
    return AutocompleteCorpus.from_source(open_source(source, encoding, lowercase, normalize), **options)
