"""The recurrent layers of a configuration, with their weights."""

from collections.abc import Iterator, Mapping

import numpy as np

from shakegen.cells.cell import Cell


def layers_of(config, weights: Mapping) -> Iterator[tuple[Cell, dict, int]]:
    """The equations of each recurrent layer, its weights by their names within it, and how many numbers it reads."""
    equations = config.make_layer()
    inputs = config.embedding or equations.inputs_of(layer_weights(weights, 1))
    for number in range(1, config.layers + 1):
        yield equations, layer_weights(weights, number), inputs
        inputs = config.units


def layer_weights(weights: Mapping[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    """The weights of one recurrent layer, from 1, by their names within it."""
    prefix = f"layer{number}/"
    return {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
