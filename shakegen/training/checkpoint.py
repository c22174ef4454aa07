"""All that a network being trained knows, as arrays, and back."""

import keras
import numpy as np

from shakegen.model.model_file import ModelFileError
from shakegen.network.keras_steps import carried_states
from shakegen.training.workers.replicas import Replicas


def variables(network: keras.Model) -> dict[str, keras.Variable]:
    """Everything that training changes in a compiled network, by names of the form `group/number`.

    That is its weights, the optimizer's step, rate, slots and averages, the states of all random number generators,
    and what stateful layers carry.
    """
    weights = {id(weight) for weight in network.weights}
    groups = {
        "weights": network.weights,
        "optimizer": network.optimizer.variables,
        "random": [variable for variable in network.variables if id(variable) not in weights],
        "states": carried_states(network),
    }
    return {f"{group}/{k}": variable for group, found in groups.items() for k, variable in enumerate(found)}


def carried(network: keras.Model, replicas: Replicas) -> dict[str, np.ndarray]:
    """The values of those that have a row for each of a batch, from all replicas; all workers must ask for them."""
    return {name: replicas.gathered(found) for name, found in variables(network).items() if has_rows(name)}


def capture(network: keras.Model, replicas: Replicas) -> dict[str, np.ndarray]:
    """The present values of `variables`; what differs between replicas is that of the first one, or `carried`."""
    values = {name: keras.ops.convert_to_numpy(found).copy() for name, found in variables(network).items()}
    return values | carried(network, replicas)


def restore(network: keras.Model, replicas: Replicas, arrays: dict[str, np.ndarray]) -> None:
    """Give a network the values that `capture` found in one like it, on any number of replicas.

    Raises:
        ModelFileError: they are not of such a network.
    """
    own, rows = variables(network), replicas.whole.batch_size
    described = {
        name: ((rows, *variable.shape[1:]) if has_rows(name) else variable.shape, variable.dtype)
        for name, variable in own.items()
    }
    if described != {name: (array.shape, array.dtype.name) for name, array in arrays.items()}:
        raise ModelFileError(
            "the training run to resume is not of such a network and optimizer: the file may be damaged, or come from "
            "another version of shakegen or Keras; start a new run without --resume"
        )
    for name, variable in own.items():
        if has_rows(name):
            replicas.deal(variable, arrays[name])
        else:
            variable.assign(arrays[name])
    draw_apart(network, replicas)


def draw_apart(network: keras.Model, replicas: Replicas) -> None:
    """Let every replica have random numbers of its own."""
    for name, variable in variables(network).items():
        if name.startswith("random/"):
            replicas.draw_apart(variable)


def has_rows(name: str) -> bool:
    """Whether a variable has a row for each of a batch."""
    return name.startswith("states/")


def reset_states(network: keras.Model) -> None:
    """Let stateful layers start anew."""
    for layer in network.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()
