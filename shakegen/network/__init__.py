"""A network: its configuration, and the Keras model of it."""

from shakegen import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {"Config": "config", "KerasSteps": "keras_steps"})
