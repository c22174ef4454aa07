"""Any Keras model as a step function."""

import contextlib
import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np


class KerasSteps:
    """Any Keras model that predicts the next character, as a step function over a sliding window.

    The state is the window itself: ids of shape (N, T), -1 where nothing was read yet: zeros for a one-hot
    model, id 0 for a model of ids. T is the
    model's window length, or 100 where it takes any.

    Both `prime` and `step` raise a ValueError where the model predicts NaN, for no text can be drawn from that.
    """

    ANY_LENGTH = 100

    def __init__(self, model: keras.Model):
        self._model, shape = model, model.input_shape
        self._one_hot, self._length = len(shape) == 3, shape[1]
        self._size = shape[2] if self._one_hot else model.output_shape[-1]
        self._call = compile_call(model)

    def prime(self, ids, streams: int = 1):
        state = np.full((streams, self._length or self.ANY_LENGTH), -1, np.int32)
        recent = np.asarray(ids)[-state.shape[1] :]
        if len(recent):
            state[:, -len(recent) :] = recent
        return self._logits(state), state

    def step(self, ids, state):
        state = np.concatenate([state[:, 1:], np.asarray(ids, np.int32)[:, None]], axis=1)
        return self._logits(state), state

    def _logits(self, window):
        if self._length is None and len(begins := np.unique(starts := (window >= 0).argmax(axis=1))) > 1:
            logits = np.empty((len(window), self._size), np.float32)
            for begin in begins:  # texts of different lengths: no text reads what stands before another
                logits[starts == begin] = self._logits(window[starts == begin])
            return logits
        if self._length is None:
            window = window[:, begins[0] :]
        if self._one_hot:
            inputs = (window[..., None] == np.arange(self._size)).astype("float32")
        else:
            inputs = np.maximum(window, 0)
        with states_kept(self._model):
            outputs = keras.ops.convert_to_numpy(self._call(inputs)).astype(np.float32)
        outputs = outputs if outputs.ndim == 2 else outputs[:, -1]
        if np.isnan(outputs).any():
            raise ValueError(
                "the model predicts NaN: expected probabilities or logits; its training may have diverged, so try a "
                "lower learning rate"
            )
        if np.all(outputs >= 0) and np.allclose(outputs.sum(axis=1), 1, atol=1e-2):
            return np.log(outputs + np.finfo(np.float32).tiny)
        return outputs


def compile_call(model: keras.Model) -> Callable:
    """A model as a function of its inputs, outside of training; on TensorFlow compiled, which loops need."""
    call = functools.partial(model, training=False)
    if keras.backend.backend() != "tensorflow":
        return call
    import tensorflow as tf

    return tf.function(call, reduce_retracing=True)


def split_replicas(state: keras.Variable) -> tuple:
    """The variables of all replicas that a state stands for; by itself where there is one device."""
    values = getattr(state.value, "values", None)
    return tuple(values) if isinstance(values, tuple | list) else (state,)


@contextlib.contextmanager
def states_kept(model: keras.Model) -> Iterator[None]:
    """Let stateful layers start from zeros, and give them their states back at the end."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)]
    stateful = [layer for layer in layers if layer.stateful and layer.states is not None]
    begun = [layer.begun for layer in stateful if getattr(layer, "begun", None) is not None]
    carried = [*keras.tree.flatten([layer.states for layer in stateful]), *begun]
    states = [own for state in carried for own in split_replicas(state)]
    before = [keras.ops.copy(state) for state in states]
    for state in states:
        state.assign(keras.ops.zeros(state.shape, state.dtype))
    try:
        yield
    finally:
        for state, value in zip(states, before, strict=True):
            state.assign(value)
