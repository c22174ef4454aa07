"""Helpers of the tests of recurrent layers: small layers with random weights, calls and gradients.

The tests run on the backend that KERAS_BACKEND names, in float64.
"""

import keras
import numpy as np
from keras import ops

N, T, INPUTS, H = 2, 6, 3, 4
EVERYTHING = {"return_sequences": True, "return_state": True, "dtype": "float64"}
ROUNDING = 1e-10 if keras.backend.backend() == "tensorflow" else 1e-6  # elsewhere Keras rounds some float64 to float32


def random_weights(layer, rng):
    """Build the layer and give it normal weights, biases too, so that every term of the equations counts."""
    layer.build((N, None, INPUTS))
    layer.set_weights([rng.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])
    return layer


def random_states(layer, rng):
    return [rng.normal(0, 0.5, (N, layer.units)) for _ in layer.state_size]


def numpy(tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def call(layer, x, states=None, mask=None, **arguments):
    """Call the layer on float64 arrays; some backends would otherwise take them as float32."""
    if states is not None:
        arguments["initial_state"] = [ops.convert_to_tensor(state, dtype="float64") for state in states]
    if mask is not None:
        arguments["mask"] = ops.convert_to_tensor(mask)
    return layer(ops.convert_to_tensor(x, dtype="float64"), **arguments)


def assert_equal(actual, expected, atol=ROUNDING):
    assert len(actual) == len(expected)
    for a, e in zip(numpy(actual), numpy(expected)):
        np.testing.assert_allclose(a, e, rtol=0, atol=atol)


def scalar(layer, rng, given_states=True, **arguments):
    """f and its coefficients: f([x, *states, *weights]), or f([x, *weights]), is a weighted sum of all outputs."""
    count = len(layer.state_size)
    shapes = [(N, T, H)] + [(N, H)] * count
    coefficients = [ops.convert_to_tensor(rng.normal(size=shape), dtype="float64") for shape in shapes]

    def f(tensors):
        x, states, weights = tensors[0], None, tensors[1:]
        if given_states:
            states, weights = weights[:count], weights[count:]
        others = [variable.value for variable in layer.non_trainable_variables]
        returned, _ = layer.stateless_call(weights, others, x, initial_state=states, **arguments)
        return sum(ops.sum(r * c) for r, c in zip(returned, coefficients))

    return f, numpy(coefficients)


def gradients(f, arrays):
    """The gradients, as numpy arrays, of the scalar f(tensors) by each of the float64 arrays."""
    tensors = [ops.convert_to_tensor(array, dtype="float64") for array in arrays]
    return numpy(BACKENDS[keras.backend.backend()](f, tensors))


def tensorflow_gradients(f, tensors):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = f(tensors)
    return tape.gradient(value, tensors, unconnected_gradients="zero")


def jax_gradients(f, tensors):
    import jax

    return jax.grad(f)(tensors)


def torch_gradients(f, tensors):
    import torch

    tensors = [tensor.detach().requires_grad_() for tensor in tensors]
    return torch.autograd.grad(f(tensors), tensors, materialize_grads=True)


BACKENDS = {"tensorflow": tensorflow_gradients, "jax": jax_gradients, "torch": torch_gradients}
