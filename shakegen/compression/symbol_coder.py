"""How the symbols of any text are named, known to a model or not, with the frequencies that its network gives."""

import numpy as np

from shakegen.compression.range_coder import Coder, DamageError, Sums
from shakegen.text.vocabulary import CODE_POINTS, Vocabulary
from shakegen.text.word_vocabulary import LONGEST, WordVocabulary

RARE, SCALE = 1 << 4, 1 << 20  # the share of escapes at first, and at least; of so many
SLOWNESS = 5  # 2⁵ symbols change it
DIFFERENT = 1 << 12  # characters to remember


class SymbolCoder:
    """Codes the symbols of one text, in an order on which encoder and decoder agree; it learns as it goes.

    A network with an unknown symbol foresees where it comes. For any other, each symbol is preceded by whether it is
    known; this costs next to nothing until one is not. The unknown character itself, or the unknown word by its
    characters, follows.

    Args:
        vocabulary: of the model.
    """

    def __init__(self, vocabulary: Vocabulary):
        self._symbols, self._unknown = vocabulary.symbols, vocabulary.unknown
        self._ids = {symbol: number for number, symbol in enumerate(vocabulary.symbols)}
        self._escapes = Escapes()
        characters = NewCharacters()
        self._spell = WordSpeller(vocabulary, characters) if isinstance(vocabulary, WordVocabulary) else characters

    def code(self, coder: Coder, sums: Sums, symbol: str | None) -> tuple[int | None, str]:
        """Write a symbol, or read it.

        Args:
            coder: that writes or reads.
            sums: the frequencies of the network, added up.
            symbol: to write; None to read.

        Returns:
            The id that the network reads, or None where it has none; and the symbol.
        """
        number = None if symbol is None else self._ids.get(symbol, self._unknown)
        if self._unknown is None:
            known = self._escapes.code(coder, None if symbol is None else number is not None)
            if not known:
                return None, self._spell.code(coder, symbol)
        number = coder.code(sums, number)
        if number != self._unknown and number >= len(self._symbols):  # it has no text: nobody wrote it
            raise DamageError
        return number, self._spell.code(coder, symbol) if number == self._unknown else self._symbols[number]


class Escapes:
    """Whether a symbol is known, with a share of unknown ones that follows the text."""

    def __init__(self):
        self._share = RARE

    def code(self, coder: Coder, known: bool | None) -> bool:
        known = coder.code([0, self._share, SCALE], known) == 1
        goal = 0 if known else SCALE
        self._share = max(self._share + ((goal - self._share) >> SLOWNESS), RARE)
        return known


class NewCharacters:
    """Characters that no model knows: as often as they came so far; one that is new, by its code point."""

    def __init__(self):
        self._characters: list[str] = []
        self._sums = np.zeros(DIFFERENT + 2, np.int64)  # of how often each came
        self._places: dict[str, int] = {}

    def code(self, coder: Coder, character: str | None) -> str:
        new, sums = len(self._characters), self._sums
        sums[new + 1] = sums[new] + new + 1
        place = coder.code(sums[: new + 2], None if character is None else self._places.get(character, new))
        if place < new:
            sums[place + 1 : new + 1] += 1
            return self._characters[place]
        character = chr(coder.code(range(CODE_POINTS + 1), None if character is None else ord(character)))
        if new < DIFFERENT:
            self._places[character] = new
            self._characters.append(character)
            sums[new + 1] = sums[new] + 1
        return character


class WordSpeller:
    """Spells unknown words by `Spelling`, with the shares that `evaluate` counts."""

    def __init__(self, vocabulary: WordVocabulary, characters: NewCharacters):
        self._spelling, self._characters = vocabulary.spelling_code, characters
        self._places = {character: place for place, character in enumerate(self._spelling.characters)}

    def code(self, coder: Coder, word: str | None) -> str:
        spelled, characters = "", self._spelling.characters
        while len(spelled) <= LONGEST:
            character = None if word is None else word[len(spelled) : len(spelled) + 1]
            place = None if character is None else self._places.get(character, len(characters))
            place = coder.code(self._spelling.frequencies(spelled), place)
            if place < len(characters) and not characters[place]:  # the end
                return spelled
            spelled += characters[place] if place < len(characters) else self._characters.code(coder, character)
        raise DamageError
