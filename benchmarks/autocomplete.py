"""Training speed and memory of the networks of the memory study, beside the speed that the processor allows.

    python benchmarks/autocomplete.py                      # GRU, LSTM and Nested LSTM of the study
    python benchmarks/autocomplete.py --cells gru --units 300

Batches have 64 observations of 200 characters, drawn from random words; there are 16,386 outputs. `products` is the
seconds that the float32 matrix products of a step take alone, measured in the same process on matrices of 2048 by 2048.
`ratio` is their share of the step. Each cell trains in a process of its own; the memory is the peak of that process.
"""

import argparse
import math
import os
import time

from measuring import make_parser, peak_memory, print_head, print_result, print_row, run_alone

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

WORDS, TEXT, SIDE, STEPS = 1 << 14, 60_000, 2048, 3


def corpus():
    import numpy as np

    from shakegen.study.autocomplete.corpus import STUDY_LENGTH, AutocompleteCorpus
    from shakegen.study.autocomplete.outputs import Outputs
    from shakegen.text import reading

    words = ["".join(chr(97 + number // 26**k % 26) for k in range(4)) for number in range(WORDS)]
    text = " ".join(words[k] for k in np.random.default_rng(0).integers(WORDS, size=TEXT))
    return AutocompleteCorpus.from_source(reading.from_bytes(text.encode()), length=STUDY_LENGTH, words=Outputs(words))


def fastest(function, times: int) -> float:
    """The seconds of the fastest of several calls, after a warm-up."""
    function()
    durations = []
    for _ in range(times):
        began = time.perf_counter()
        function()
        durations.append(time.perf_counter() - began)
    return min(durations)


def measure(cell: str, units: int) -> None:
    import tensorflow as tf

    from shakegen.network.config import Config
    from shakegen.training.beginning import begin
    from shakegen.training.trainer import Trainer
    from shakegen.training.workers import Strategy

    config = Config.study(cell, units)
    run = Trainer(begin(corpus(), config, recipe="study"), time.monotonic(), Strategy()).run
    inputs, targets = run.batches.pair(0)
    step, batch = run.learner._step, [*run.learner.prepare(0), tf.constant(1e-3)]
    seconds = fastest(lambda: float(step(*batch)), STEPS)
    matrix = tf.random.normal((SIDE, SIDE))
    rate = 2 * SIDE**3 / fastest(lambda: tf.matmul(matrix, matrix).numpy(), 10)
    shapes = config.weight_shapes(27, WORDS + 2)
    recurrent = sum(math.prod(shape) for name, shape in shapes.items() if "layer" in name and "bias" not in name)
    positions = int((targets > 1).sum()) * units * (WORDS + 2) + inputs.size * recurrent
    products = 2 * 3 * positions / rate  # forward, and backward for inputs and for weights
    print_result(seconds, inputs.size / seconds, products, products / seconds, peak_memory() / 1e9)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--cells", nargs="+", default=["gru", "lstm", "nlstm"])
    parser.add_argument("--units", type=int, default=600)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.one, options.units)
        return
    print_head("cell", "s/step", "characters/s", "products, s", "ratio", "GB")
    for cell in options.cells:
        seconds, speed, products, ratio, memory = run_alone(__file__, "--one", cell, "--units", options.units)
        print_row(cell, f"{seconds:.2f}", f"{speed:,.0f}", f"{products:.2f}", f"{ratio:.2f}", f"{memory:.2f}")


if __name__ == "__main__":
    main()
