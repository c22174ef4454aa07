"""Which of Keras's callbacks serve a run, and why others do not."""

import importlib.util
from collections.abc import Iterable

import keras

from shakegen.training.recipe import Recipe


def list_callbacks(
    callbacks: keras.callbacks.Callback | Iterable[keras.callbacks.Callback] | None, recipe: Recipe
) -> list[keras.callbacks.Callback]:
    """The callbacks of a run, one by one, as `fit` takes them: a callback, a `CallbackList`, or any nest of them.

    Raises:
        TypeError: something else is among them.
        ValueError: one cannot do in this run what it does under `fit`.
    """
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    if isinstance(callbacks, keras.callbacks.Callback):
        reason = explain_refusal(callbacks, recipe)
        if reason:
            raise ValueError(f"{type(callbacks).__name__} cannot serve here: {reason}")
        return [callbacks]
    if not isinstance(callbacks, Iterable) or isinstance(callbacks, str):
        raise TypeError(f"callbacks has {callbacks!r}: expected callbacks of Keras, such as EarlyStopping()")
    return [one for part in callbacks for one in list_callbacks(part, recipe)]


def explain_refusal(callback: keras.callbacks.Callback, recipe: Recipe) -> str | None:
    """Why a callback cannot do in a run what it does under `fit`; None if it can."""
    if isinstance(callback, keras.callbacks.BackupAndRestore):
        return "a run makes checkpoints of its own: leave it out, give `out`, and go on with `resume`"
    if isinstance(callback, keras.callbacks.SwapEMAWeights):
        if not recipe.average_weights:
            return "there are no averaged weights: give `average_weights`, or leave it out"
        if callback.swap_on_epoch:
            return "checkpoints would have swapped weights: leave out swap_on_epoch; averages are validated and kept"
    if isinstance(callback, keras.callbacks.TensorBoard) and not importlib.util.find_spec("tensorboard"):
        return "it needs the package tensorboard: install it, or give `log_dir`, which does without"
    return None
