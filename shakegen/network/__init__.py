"""A network: its configuration, and the Keras model of it."""

from typing import TYPE_CHECKING

from shakegen import lazy_names

if TYPE_CHECKING:
    from shakegen.network.config import Config as Config
    from shakegen.network.keras_steps import KerasSteps as KerasSteps
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, {"config": "Config", "keras_steps": "KerasSteps"})
