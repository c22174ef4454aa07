"""Any text becomes ids, in three parts, in batches."""

from typing import TYPE_CHECKING

from shakegen import lazy_names

if TYPE_CHECKING:
    from shakegen.text.catalog import load_corpus as load_corpus, open_source as open_source
    from shakegen.text.corpus import Corpus as Corpus
    from shakegen.text.reading import Source as Source
    from shakegen.text.subword_vocabulary import SubwordVocabulary as SubwordVocabulary
    from shakegen.text.vocabulary import UnknownCharacters as UnknownCharacters, Vocabulary as Vocabulary
    from shakegen.text.windows import Passages as Passages, one_hot_windows as one_hot_windows
    from shakegen.text.word_vocabulary import UnknownWords as UnknownWords, WordVocabulary as WordVocabulary
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "catalog": "load_corpus open_source",
            "corpus": "Corpus",
            "reading": "Source",
            "subword_vocabulary": "SubwordVocabulary",
            "vocabulary": "UnknownCharacters Vocabulary",
            "windows": "Passages one_hot_windows",
            "word_vocabulary": "UnknownWords WordVocabulary",
        },
    )
