"""Inference in numpy: every cell, any network of them, no TensorFlow."""

from shakegen.inference.engine import Engine

__all__ = ["Engine"]
