"""A trained model: its file, its evaluation, its novelty, the shelf of models."""

from typing import TYPE_CHECKING

from shakegen import lazy_names

if TYPE_CHECKING:
    from shakegen.model.ensemble import Ensemble as Ensemble
    from shakegen.model.model import (
        AutocompleteModel as AutocompleteModel,
        LanguageModel as LanguageModel,
        Model as Model,
        find as find,
        load as load,
    )
    from shakegen.model.model_file import ModelFileError as ModelFileError
    from shakegen.model.protocols import Dynamic as Dynamic, Windows as Windows
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "ensemble": "Ensemble",
            "model": "AutocompleteModel LanguageModel Model find load",
            "model_file": "ModelFileError",
            "protocols": "Dynamic Windows",
        },
    )
