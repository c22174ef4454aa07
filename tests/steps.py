"""Helpers of the tests of cells: the newer ones, random weights of a cell, and a numpy step along inputs."""

import numpy as np

from shakegen import cells
from shakegen.inference.reading import Recurrence

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
    row, h = start(step, weights, streams)
    given = np.empty((streams, step.kernel.shape[1]))
    memory = [array[0] if streams == 1 else array for array in (given, row, h)]  # as the engine lays it out
    calls, views = step.bind(*memory, watched=watched)
    for one in x:
        np.copyto(row[:, :width], (h * step.output_scale) @ step.recurrent_kernel + step.recurrent_bias)
        np.copyto(given, one @ step.kernel + step.input_bias)
        for function, arguments in calls:
            function(*arguments)
        rows.append({name: np.reshape(array * factor, (streams, -1)) for name, (array, factor) in views.items()})
    return rows


def start(step, weights, streams):
    """The row of a state, its products with h not yet made, and h as the step would have written it."""
    row = np.hstack([np.empty(step.recurrent_kernel.shape[1]), step.initial_memory])
    return np.tile(row, (streams, 1)), np.tile(weights["initial_state_0"] / step.output_scale, (streams, 1))


def read(step, weights, x, cut):
    """The outputs along inputs (T, N, INPUTS), which are read in two parts, (T, N, H)."""
    (row, h), streams, outputs = start(step, weights, x.shape[1]), x.shape[1], np.empty((*x.shape[:2], H))
    row[:, : step.recurrent_kernel.shape[1]] = (h * step.output_scale) @ step.recurrent_kernel + step.recurrent_bias
    layer = Recurrence(step, row[0] if streams == 1 else row)
    for part, output in ((x[:cut], outputs[:cut]), (x[cut:], outputs[cut:])):
        layer.read(part.reshape(-1, INPUTS) @ step.kernel + step.input_bias, output.reshape(-1, H), None)
    return outputs * step.output_scale
