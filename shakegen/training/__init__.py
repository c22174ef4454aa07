"""Training: from a corpus, a configuration and a recipe to a trained model."""

from typing import TYPE_CHECKING

from shakegen import lazy_names

if TYPE_CHECKING:
    from shakegen.training.optimizer import make_optimizer as make_optimizer
    from shakegen.training.recipe import Recipe as Recipe
    from shakegen.training.run import Diverged as Diverged
    from shakegen.training.signals import Interrupted as Interrupted
    from shakegen.training.start import train as train, train_from as train_from
    from shakegen.training.text_run import begin_with_text as begin_with_text
    from shakegen.training.trainer import Ended as Ended
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "optimizer": "make_optimizer",
            "recipe": "Recipe",
            "run": "Diverged",
            "signals": "Interrupted",
            "start": "train train_from",
            "text_run": "begin_with_text",
            "trainer": "Ended",
        },
    )
