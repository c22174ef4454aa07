"""One step of every cell at equal units: writing in numpy beside the LSTM, training beside the GRU.

    python benchmarks/steps.py --units 128 256 512

Writing: a network of one layer over 65 characters reads one more, in one stream and in 16. Training: a layer reads 64
sequences of 100 steps, one-hot characters (65 of them) or dense inputs as wide as the layer, forward and backward. The
cells take turns for several rounds. The fastest round counts, in microseconds a step and in milliseconds a batch. The
ratio in brackets is above 1 where a cell is faster than the first one.
"""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from measuring import SIZE, make_parser, print_head, print_row, random_weights

from shakegen.cells import BUILT_IN, find_cell
from shakegen.inference import Engine
from shakegen.network.config import Config

BATCH, TIME = 64, 100
ROUND = 0.15  # seconds


def fastest(contenders: dict, rounds: int) -> dict[str, float]:
    """Seconds of a call of each function, from its fastest round."""
    best = {}
    for name, call in contenders.items():
        began = time.perf_counter()
        call()
        call()
        best[name] = (time.perf_counter() - began) / 2
    for _ in range(rounds):
        for name, call in contenders.items():
            calls = max(1, int(ROUND / best[name]))
            began = time.perf_counter()
            for _ in range(calls):
                call()
            best[name] = min(best[name], (time.perf_counter() - began) / calls)
    return best


def writing(cell: str, units: int, streams: int):
    """A function that reads one more character in every stream."""
    config, ids = Config(cell, units, layers=1), np.random.default_rng(0).integers(SIZE, size=streams)
    engine = Engine(config, random_weights(config, scale=0.8))
    state = engine.start(streams)
    return lambda: engine.step(ids, state)


def training(cell: str, units: int, one_hot: bool):
    """A function that goes forward and back through a layer once."""
    import tensorflow as tf

    from shakegen.layers.cell_layer import layer_of

    random = np.random.default_rng(0)
    ids = tf.constant(random.integers(SIZE, size=(BATCH, TIME)), tf.int32)
    dense = tf.constant(random.normal(size=(BATCH, TIME, units)), tf.float32)
    layer = layer_of(find_cell(cell))(units, return_sequences=True)
    layer.build((BATCH, TIME, SIZE if one_hot else units))

    @tf.function(autograph=False)
    def step():
        weights = [weight.value for weight in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(dense)
            loss = tf.reduce_sum(layer(tf.one_hot(ids, SIZE) if one_hot else dense, training=True) ** 2)
        return tape.gradient(loss, weights if one_hot else [dense, *weights])

    return lambda: [gradient.numpy() for gradient in map(tf.convert_to_tensor, step())]


def print_table(title: str, unit: str, factor: float, rows: dict[str, dict[str, float]], first: str) -> None:
    """The cells as columns: each row's figures, and the ratios to the first cell."""
    cells = [first, *(cell for cell in BUILT_IN if cell != first)]
    print_head(f"{title}, {unit} (ratio)", *cells)
    for name, seconds in rows.items():
        print_row(name, *(f"{factor * seconds[cell]:.1f} ({seconds[first] / seconds[cell]:.2f})" for cell in cells))


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    rows = {}
    for units in given.units:
        for streams in (1, 16):
            contenders = {cell: writing(cell, units, streams) for cell in BUILT_IN}
            rows[f"{units} units, streams: {streams}"] = fastest(contenders, given.rounds)
    print_table("writing", "µs", 1e6, rows, "lstm")
    print()
    rows = {}
    for units in given.units:
        for one_hot in (True, False):
            contenders = {cell: training(cell, units, one_hot) for cell in BUILT_IN}
            rows[f"{units} units, {'one-hot' if one_hot else 'dense'}"] = fastest(contenders, given.rounds)
    print_table("training", "ms", 1e3, rows, "gru")


if __name__ == "__main__":
    main()
