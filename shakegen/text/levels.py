"""The levels: each kind of symbols, by its name."""

from shakegen.text.subword_vocabulary import SubwordVocabulary
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.word_vocabulary import WordVocabulary

VOCABULARIES: dict[str, type[Vocabulary]] = {
    kind.level: kind for kind in (Vocabulary, SubwordVocabulary, WordVocabulary)
}
