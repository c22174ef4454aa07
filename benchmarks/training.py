"""Training speed of the layers, side by side with Keras's, PyTorch's, and the speed that the processor allows.

    python benchmarks/training.py                          # every cell at 128, 256 and 512 units
    python benchmarks/training.py --cells lstm --units 256

A network of one recurrent layer reads one-hot characters (65 of them, 64 windows of 100 in a batch) and predicts each
next one. Each contender trains in a process of its own, in turn, for several rounds. The table shows medians, in
characters per second, and the ratios of each round, from the lowest to the highest. Keras's layers and ours get the
better of `jit_compile` on and off.
`products` is the speed at which the float32 matrix products of a step alone would run. PyTorch takes part where it is
installed.
"""

import argparse
import os
import statistics
import time

from measuring import make_parser, print_head, print_result, print_row, take_turns

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

BATCH, TIME, VOCABULARY, BATCHES = 64, 100, 65, 8
MATRICES = {"rnn": 1, "gru": 3, "lstm": 4, "nlstm": 12}  # products of (units, units) a step; the nlstm has depth 2


def characters():
    import numpy as np

    ids = np.random.default_rng(0).integers(VOCABULARY, size=(BATCHES * BATCH, TIME + 1), dtype=np.int32)
    return ids[:, :-1], ids[:, 1:]


def fastest(step, steps=15, rounds=2):
    """Characters per second of training steps, from the fastest of a few rounds, after a warm-up."""
    durations = []
    for count in (4, *[steps] * rounds):
        began = time.perf_counter()
        step(count)
        durations.append(time.perf_counter() - began)
    return steps * BATCH * TIME / min(durations[1:])


def keras_rate(layer):
    import keras
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False  # else `fit` waits at its end until the tuner wakes up, after 1.28 s, 2.56 s, ...
    data = tf.data.Dataset.from_tensor_slices(characters()).batch(BATCH).cache().repeat().with_options(options)
    ids = keras.Input((TIME,), batch_size=BATCH, dtype="int32")
    model = keras.Model(ids, keras.layers.Dense(VOCABULARY)(layer(keras.ops.one_hot(ids, VOCABULARY))))
    rates = []
    for jit in (False, True):
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=jit)
        rates.append(fastest(lambda count: model.fit(data, steps_per_epoch=count, verbose=0, shuffle=False)))
    return max(rates)


def shakegen(cell, units):
    from shakegen import layers

    kinds = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM, "nlstm": layers.NLSTM}
    return keras_rate(kinds[cell](units, return_sequences=True))


def keras(cell, units):
    import keras

    if cell == "nlstm":
        from shakegen.layers import NLSTMCell

        return keras_rate(keras.layers.RNN(NLSTMCell(units), return_sequences=True))
    kinds = {"rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
    return keras_rate(kinds[cell](units, return_sequences=True))


def torch(cell, units):
    import torch

    if cell == "nlstm":
        return None
    kinds = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
    layer, dense = kinds[cell](VOCABULARY, units, batch_first=True), torch.nn.Linear(units, VOCABULARY)
    optimizer = torch.optim.Adam([*layer.parameters(), *dense.parameters()])
    inputs, targets = (torch.from_numpy(ids.astype("int64")).split(BATCH) for ids in characters())

    def step(count):
        for number in range(count):
            one_hot = torch.nn.functional.one_hot(inputs[number % BATCHES], VOCABULARY).float()
            logits = dense(layer(one_hot)[0])
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits.mT, targets[number % BATCHES]).backward()
            optimizer.step()

    return fastest(step)


def products(cell, units):
    """Characters per second if training took nothing but its matrix products, at the better rate of two shapes."""
    import tensorflow as tf

    operations = 0.0
    for rows, columns in ((BATCH, 4 * units), (1024, 1024)):
        a, b = tf.random.normal((rows, units)), tf.random.normal((units, columns)) / units
        back = tf.random.normal((columns, units)) / units
        pairs = int(5e9 / (4 * rows * units * columns))
        for jit in (False, True):

            @tf.function(jit_compile=jit)
            def multiply(a, b, back, pairs=pairs):
                for _ in tf.range(pairs):
                    a = a @ b @ back
                return a

            for _ in range(4):
                began = time.perf_counter()
                multiply(a, b, back).numpy()
                operations = max(operations, 4 * rows * units * columns * pairs / (time.perf_counter() - began))
    return operations / (3 * 2 * (MATRICES[cell] * units**2 + units * VOCABULARY))


CONTENDERS = {"shakegen": shakegen, "keras": keras, "torch": torch, "products": products}


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--cells", nargs="+", choices=MATRICES, default=list(MATRICES))
    parser.add_argument("--units", nargs="+", type=int, default=[128, 256, 512])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print_result(CONTENDERS[arguments.only](arguments.cells[0], arguments.units[0]))
        return
    print_head("cell", "units", *CONTENDERS, "ours / best peer", "ours / products")
    for cell in arguments.cells:
        for units in arguments.units:
            rates = take_turns(__file__, CONTENDERS, arguments.rounds, "--cells", cell, "--units", units)
            median = {name: statistics.median(values) for name, values in rates.items() if values}
            peers = list(map(max, *(rates[name] or [0.0] * arguments.rounds for name in ("keras", "torch"))))
            shown = [f"{median[name]:,.0f}" if name in median else "" for name in CONTENDERS]
            ratios = [span(rates["shakegen"], others) for others in (peers, rates["products"])]
            print_row(cell, units, *shown, *ratios)


def span(rates, others):
    """The ratios of the rates of each round, from the lowest to the highest."""
    ratios = [rate / other for rate, other in zip(rates, others, strict=True)]
    low, high = f"{min(ratios):.2f}", f"{max(ratios):.2f}"
    return low if low == high else f"{low} to {high}"


if __name__ == "__main__":
    main()
