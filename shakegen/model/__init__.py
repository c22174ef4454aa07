"""A trained model: its file, how well it predicts, what it copies, and where models lie."""

from shakegen import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "LanguageModel": "model",
        "Model": "model",
        "ModelFileError": "model_file",
        "AutocompleteModel": "model",
        "WordModel": "model",
        "find": "model",
        "load": "model",
    },
)
