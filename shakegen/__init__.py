"""Learn to write from a text: recurrent language models on Keras.

Names are loaded when first used: `import shakegen` alone does not import TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "Config": "config",
    "Corpus": "text",
    "LanguageModel": "model",
    "UnknownCharacters": "vocabulary",
    "Vocabulary": "vocabulary",
    "WordCorpus": "autocomplete.corpus",
    "WordModel": "model",
    "connections": "connectivity.connections",
    "load": "model",
    "load_corpus": "catalog",
    "load_word_corpus": "catalog",
    "one_hot_windows": "windows",
    "train": "training",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'shakegen' has no attribute {name!r}")
    return getattr(importlib.import_module(f"shakegen.{_HOMES[name]}"), name)


def __dir__():
    return sorted([*globals(), *_HOMES])
