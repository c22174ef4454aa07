"""A recurrence without a recurrent product, h = a ⊙ h + b: the compiled loop against a parallel scan.

    python benchmarks/scan.py --units 256 --batch 64 --steps 100

The layer is MinGRU on dense inputs, forward and backward: ours, and the same equations with
`keras.ops.associative_scan`, whose depth is logarithmic (XLA cannot compile it on TensorFlow). Rounds alternate; the
table shows the fastest of each, in milliseconds, and the ratio to ours.
"""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from measuring import make_parser, print_head, print_row

from shakegen.layers import MinGRU


def join(left, right):
    """First h = a₁ h + b₁, then h = a₂ h + b₂."""
    return left[0] * right[0], right[0] * left[1] + right[1]


def scan(layer, x):
    kernel, bias = layer.cell.weights
    z, g = ops.split(ops.matmul(x, kernel) + bias, 2, axis=-1)
    z = ops.sigmoid(z)
    return ops.associative_scan(join, (1 - z, z * g), axis=1)[1]


def training_step(layer, outputs, x):
    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(outputs(x) ** 2)
        return tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_variables)])

    return step


def main():
    parser = make_parser(__doc__)
    for name, usual in (("units", 256), ("batch", 64), ("steps", 100), ("rounds", 10)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args()
    x = tf.constant(np.random.default_rng(0).normal(size=(given.batch, given.steps, given.units)), tf.float32)
    layer = MinGRU(given.units, return_sequences=True)
    layer.build(x.shape)
    contenders = {
        "compiled loop": training_step(layer, lambda x: layer(x, training=True), x),
        "associative scan": training_step(layer, lambda x: scan(layer, x), x),
    }
    answers = [[gradient.numpy() for gradient in step()] for step in contenders.values()]
    for other in answers[1:]:
        for ours, theirs in zip(answers[0], other, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
    fastest = dict.fromkeys(contenders, float("inf"))
    for _ in range(given.rounds):
        for name, step in contenders.items():
            began = time.perf_counter()
            keras.tree.map_structure(lambda one: one.numpy(), step())
            fastest[name] = min(fastest[name], time.perf_counter() - began)
    print_head("MinGRU", "ms a step", "times the compiled loop")
    for name, seconds in fastest.items():
        print_row(name, f"{1e3 * seconds:.1f}", f"{seconds / fastest['compiled loop']:.2f}")


if __name__ == "__main__":
    main()
