"""Helpers of the tests of cells: the newer ones, random weights of a cell, and a numpy step run along inputs."""

import numpy as np

from shakegen import cells

H, INPUTS = 5, 4
NEWER = (cells.UGRNN, cells.Mogrifier, cells.RGLRU, cells.SLSTM, cells.MinGRU, cells.MinLSTM)


def draw_weights(cell, rng):
    shapes = {name: weight.shape for name, weight in cell.weights(INPUTS).items()}
    shapes |= {f"initial_state_{k}": (H,) for k in range(len(cell.state_names))}
    return {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()}


def run(step, weights, x):
    """All that a step shows, along inputs (T, N, INPUTS)."""
    streams = x.shape[1]
    width, rows = step.recurrent_kernel.shape[1], []
    state = np.hstack([np.empty((streams, width)), np.tile(step.initial_memory, (streams, 1))])
    recurrent, memory = state[:, :width], state[:, width:]  # neighbours, as in the engine
    h = np.tile(weights["initial_state_0"] / step.output_scale, (streams, 1))
    advance, views = step.bind(recurrent, memory, h)
    for one in x:
        np.copyto(recurrent, (h * step.output_scale) @ step.recurrent_kernel + step.recurrent_bias)
        advance(one @ step.kernel + step.input_bias)
        rows.append({name: array * factor for name, (array, factor) in views.items()})
    return rows
