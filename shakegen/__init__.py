"""Learn to write from a text: recurrent language models on Keras.

Names are loaded when first used: `import shakegen` alone does not import TensorFlow.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

__version__ = "0.2.0"


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable, Callable, list[str]]:
    """The `__getattr__`, `__dir__` and `__all__` of a package whose names are loaded when first used.

    An import of the same names under `TYPE_CHECKING` shows them to editors and type checkers; a test compares the two.

    Args:
        package: its `__name__`.
        homes: for each module, relative to the package, its names.
    """
    home_of = {name: module for module, names in homes.items() for name in names.split()}

    def load_name(name: str):
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{home_of[name]}"), name)

    def list_names() -> list[str]:
        return sorted([*vars(importlib.import_module(package)), *home_of])

    return load_name, list_names, sorted(home_of)


if TYPE_CHECKING:
    from shakegen.model.model import (
        AutocompleteModel as AutocompleteModel,
        LanguageModel as LanguageModel,
        load as load,
    )
    from shakegen.network.config import Config as Config
    from shakegen.study.autocomplete.corpus import (
        AutocompleteCorpus as AutocompleteCorpus,
        load_autocomplete_corpus as load_autocomplete_corpus,
    )
    from shakegen.study.connectivity.connections import connections as connections
    from shakegen.text.catalog import load_corpus as load_corpus
    from shakegen.text.corpus import Corpus as Corpus
    from shakegen.text.vocabulary import UnknownCharacters as UnknownCharacters, Vocabulary as Vocabulary
    from shakegen.text.windows import one_hot_windows as one_hot_windows
    from shakegen.training.start import train as train
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "text.catalog": "load_corpus",
            "text.corpus": "Corpus",
            "text.vocabulary": "UnknownCharacters Vocabulary",
            "text.windows": "one_hot_windows",
            "network.config": "Config",
            "training.start": "train",
            "model.model": "AutocompleteModel LanguageModel load",
            "study.autocomplete.corpus": "AutocompleteCorpus load_autocomplete_corpus",
            "study.connectivity.connections": "connections",
        },
    )
