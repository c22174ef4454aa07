"""Training on padded text, ours beside Keras's layers: masked sequences, and batches of many lengths.

    python benchmarks/masks.py
    python benchmarks/masks.py --rounds 3 --cases lengths

Masked: tokens go through an embedding with `mask_zero`, one recurrent layer and a dense layer; each sequence is padded
to the length of the batch. The figures are milliseconds a step of training, of the fastest round, and the ratio of
Keras's to ours. `lstm 128` has no embedding: 64 sequences of 100 steps of 65 numbers, and a mask. For the `nlstm`,
Keras's is our own cell in `keras.layers.RNN`.

Lengths: batches of 20 lengths, 10 to 105, are trained on in turn, padded text as before. The first columns are the
first steps on the first and the second length, and the mean of those on all lengths from the fourth on. `all` is the
time of a step over all 20 lengths, `one` that of a network that knows one length only, their mean.
"""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from measuring import make_parser, print_head, print_row

from shakegen import layers

WORDS = 200
LENGTHS = range(10, 110, 5)
SEQUENCES = 32


def keras_nlstm(units, **arguments):
    return keras.layers.RNN(layers.NLSTMCell(units), **arguments)


KINDS = {
    "lstm": (keras.layers.LSTM, layers.LSTM),
    "gru": (keras.layers.GRU, layers.GRU),
    "nlstm": (keras_nlstm, layers.NLSTM),
}


def tagger(kind, units=24):
    """A network that labels each of some words, read in both directions."""
    words = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(WORDS, 32, mask_zero=True)(words)
    x = keras.layers.Bidirectional(kind(units, return_sequences=True))(x)
    return compiled(keras.Model(words, keras.layers.Dense(9)(x)))


def masked(kind, units=128):
    """A network that reads numbers, and a mask of the steps that count."""
    x, mask = keras.Input((None, 65)), keras.Input((None,), dtype="bool")
    outputs = kind(units, return_sequences=True)(x, mask=mask)
    return compiled(keras.Model([x, mask], keras.layers.Dense(9)(outputs)))


def compiled(model):
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    return model


def words(random, batch, steps):
    """Sequences of several lengths, padded on the right, and labels."""
    ids = random.integers(1, WORDS, (batch, steps), dtype="int32")
    ids[np.arange(steps) >= random.integers(steps // 2, steps + 1, (batch, 1))] = 0
    return ids, random.integers(9, size=(batch, steps))


def numbers(random, batch, steps):
    """Sequences of numbers with their mask, and labels."""
    ids, labels = words(random, batch, steps)
    return [random.normal(size=(batch, steps, 65)).astype("float32"), ids != 0], labels


CASES = {
    "lstm 24, bidirectional": ("lstm", tagger, words, 32, 40),
    "gru 24, bidirectional": ("gru", tagger, words, 32, 40),
    "lstm 128": ("lstm", masked, numbers, 64, 100),
    "nlstm 24, bidirectional": ("nlstm", tagger, words, 32, 40),
}


def seconds(model, batches):
    began = time.perf_counter()
    for x, y in batches:
        model.train_on_batch(x, y)
    return time.perf_counter() - began


def measure_masks(rounds, steps):
    print_head("masked", "keras, ms", "ours, ms", "keras / ours")
    for name, (cell, make, draw, batch, length) in CASES.items():
        batches = [draw(np.random.default_rng(0), batch, length)] * steps
        models = [make(kind) for kind in KINDS[cell]]
        for model in models:
            seconds(model, batches[:3])
        theirs, ours = (min(times) for times in zip(*([seconds(m, batches) for m in models] for _ in range(rounds))))
        print_row(name, f"{1e3 * theirs / steps:.1f}", f"{1e3 * ours / steps:.1f}", f"{theirs / ours:.2f}")


def measure_lengths(rounds):
    random = np.random.default_rng(0)
    batches = [words(random, SEQUENCES, length) for length in random.permutation(LENGTHS)]
    middle = [words(random, SEQUENCES, round(np.mean(LENGTHS)))] * len(batches)
    print_head("20 lengths", "first length, ms", "second, ms", "others, ms", "all, ms", "one, ms", "all / one")
    for cell in "lstm", "gru":
        for name, kind in zip(("keras", "ours"), KINDS[cell]):
            model, alone = tagger(kind), tagger(kind)
            first, second, _, *later = [seconds(model, [batch]) for batch in batches]
            seconds(alone, middle[:2])
            times = [(seconds(model, batches), seconds(alone, middle)) for _ in range(rounds)]
            every, one = (min(column) / len(batches) for column in zip(*times))
            steps = [f"{1e3 * value:.0f}" for value in (first, second, np.mean(later))]
            print_row(f"{name}, {cell}", *steps, f"{1e3 * every:.1f}", f"{1e3 * one:.1f}", f"{every / one:.2f}")


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--cases", nargs="+", choices=("masks", "lengths"), default=["masks", "lengths"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=15, help="of a round")
    arguments = parser.parse_args()
    if "masks" in arguments.cases:
        measure_masks(arguments.rounds, arguments.steps)
    if "lengths" in arguments.cases:
        measure_lengths(arguments.rounds)


if __name__ == "__main__":
    main()
