"""Inference in numpy: every cell, any network of them, no TensorFlow."""

from shakegen.inference.engine import Engine
from shakegen.inference.mixture import Mixture

__all__ = ["Engine", "Mixture"]
