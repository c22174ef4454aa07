"""All that a network being trained knows, as arrays, and back."""

import keras
import numpy as np

from shakegen.modelfile import ModelFileError


def variables(network: keras.Model) -> dict[str, keras.Variable]:
    """Everything that training changes in a compiled network, by names of the form `group/number`.

    That is its weights, the optimizer's step, rate, slots and averages, the states of all random number generators,
    and what stateful layers carry.
    """
    weights = {id(weight) for weight in network.weights}
    layers = [layer for layer in network.layers if getattr(layer, "stateful", False)]
    groups = {
        "weights": network.weights,
        "optimizer": network.optimizer.variables,
        "random": [variable for variable in network.variables if id(variable) not in weights],
        "states": [state for layer in layers for state in layer.states],
    }
    return {f"{group}/{k}": variable for group, found in groups.items() for k, variable in enumerate(found)}


def capture(network: keras.Model) -> dict[str, np.ndarray]:
    """The present values of `variables`."""
    return {name: keras.ops.convert_to_numpy(variable).copy() for name, variable in variables(network).items()}


def restore(network: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Give a network the values that `capture` found in one like it.

    Raises:
        ModelFileError: they are not of such a network.
    """
    own = variables(network)
    described = {name: (variable.shape, variable.dtype) for name, variable in own.items()}
    if described != {name: (array.shape, array.dtype.name) for name, array in arrays.items()}:
        raise ModelFileError(
            "the training run to resume is not of such a network and optimizer: the file may be damaged, or come from "
            "another version of shakegen or Keras; start a new run without --resume"
        )
    for name, variable in own.items():
        variable.assign(arrays[name])


def reset_states(network: keras.Model) -> None:
    """Let stateful layers start anew."""
    for layer in network.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()
