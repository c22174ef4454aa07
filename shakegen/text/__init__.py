"""Any text becomes ids, in three parts, in batches."""

from shakegen import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Corpus": "corpus",
        "ShuffledWindows": "windows",
        "Source": "reading",
        "Streams": "windows",
        "UnknownCharacters": "vocabulary",
        "UnknownWords": "word_vocabulary",
        "Vocabulary": "vocabulary",
        "WordVocabulary": "word_vocabulary",
        "load_corpus": "catalog",
        "one_hot_windows": "windows",
        "open_source": "catalog",
    },
)
