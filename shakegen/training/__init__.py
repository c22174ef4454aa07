"""Training: from a corpus, a configuration and a recipe to a trained language model."""

from shakegen.training.optimizer import make_optimizer
from shakegen.training.run import Diverged
from shakegen.training.signals import Interrupted
from shakegen.training.start import train
from shakegen.training.trainer import Ended, engine_of

__all__ = ["Diverged", "Ended", "Interrupted", "engine_of", "make_optimizer", "train"]
