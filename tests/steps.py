"""Helpers of the tests of cells: the newer ones, random weights of a cell, and a numpy step run along inputs."""

import numpy as np

from shakegen import cells

H, INPUTS = 5, 4
NEWER = (cells.UGRNN, cells.Mogrifier, cells.RGLRU, cells.SLSTM, cells.MinGRU, cells.MinLSTM)


def draw_weights(cell, rng):
    shapes = {name: weight.shape for name, weight in cell.weights(INPUTS).items()}
    shapes |= {f"initial_state_{k}": (H,) for k in range(len(cell.state_names))}
    return {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()}


def run(step, weights, x, watched=True):
    """All that a step shows, along inputs (T, N, INPUTS)."""
    streams = x.shape[1]
    width, rows = step.recurrent_kernel.shape[1], []
    row = np.hstack([np.empty((streams, width)), np.tile(step.initial_memory, (streams, 1))])
    given = np.empty((streams, step.kernel.shape[1]))
    h = np.tile(weights["initial_state_0"] / step.output_scale, (streams, 1)).astype(row.dtype)
    memory = [array[0] if streams == 1 else array for array in (given, row, h)]  # as the engine lays it out
    calls, views = step.bind(*memory, watched=watched)
    for one in x:
        np.copyto(row[:, :width], (h * step.output_scale) @ step.recurrent_kernel + step.recurrent_bias)
        np.copyto(given, one @ step.kernel + step.input_bias)
        for function, arguments in calls:
            function(*arguments)
        rows.append({name: np.reshape(array * factor, (streams, -1)) for name, (array, factor) in views.items()})
    return rows
