"""Training: from a corpus, a configuration and a recipe to a trained model."""

from shakegen import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Diverged": "run",
        "Ended": "trainer",
        "Interrupted": "signals",
        "Recipe": "recipe",
        "begin_with_text": "text_run",
        "make_optimizer": "optimizer",
        "train": "start",
        "train_from": "start",
    },
)
