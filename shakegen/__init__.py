"""Learn to write from a text: recurrent language models on Keras.

Names are loaded when first used: `import shakegen` alone does not import TensorFlow.
"""

import importlib
from collections.abc import Callable, Mapping

__version__ = "0.1.0"


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable, Callable, list[str]]:
    """The `__getattr__`, `__dir__` and `__all__` of a package whose names are loaded when first used.

    Args:
        package: its `__name__`.
        homes: the module of each name, relative to the package.
    """

    def load_name(name: str):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    def list_names() -> list[str]:
        return sorted([*vars(importlib.import_module(package)), *homes])

    return load_name, list_names, list(homes)


__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "AutocompleteCorpus": "study.autocomplete.corpus",
        "AutocompleteModel": "model.model",
        "Config": "network.config",
        "Corpus": "text.corpus",
        "LanguageModel": "model.model",
        "UnknownCharacters": "text.vocabulary",
        "Vocabulary": "text.vocabulary",
        "WordCorpus": "study.autocomplete.corpus",
        "WordModel": "model.model",
        "connections": "study.connectivity.connections",
        "load": "model.model",
        "load_autocomplete_corpus": "study.autocomplete.corpus",
        "load_corpus": "text.catalog",
        "load_word_corpus": "study.autocomplete.corpus",
        "one_hot_windows": "text.windows",
        "train": "training.start",
    },
)
