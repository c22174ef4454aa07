"""The cross entropy over many outputs, in pieces: the logits of all positions together never exist."""

import keras
import tensorflow as tf

LOGITS = 1 << 24  # at a time


def read_out_crossentropy(hidden, kernel, bias, targets, first: int, logits: int = LOGITS) -> tf.Tensor:
    """The mean cross entropy of the targets, in nats, over all positions that count; only these are read out.

    The gradient of a block's logits is made together with them, from the same softmax, and goes at once into the
    gradients of `hidden`, `kernel` and `bias`: three products a block in all, and memory for one block.

    Args:
        hidden: the inputs of the read-out, (N, T, H). In 16 bits, the products are too, and their sums are not.
        kernel, bias: of the read-out to W outputs, (H, W) and (W,).
        targets: outputs, integers (N, T).
        first: the first output that counts.
        logits: how many to compute at a time.

    Returns:
        A scalar; 0 where no position counts.
    """
    counted = tf.reshape(targets >= first, (-1,))
    hidden = tf.boolean_mask(tf.reshape(hidden, (-1, kernel.shape[0])), counted)
    targets = tf.boolean_mask(tf.reshape(targets, (-1,)), counted)
    total = sum_in_blocks(hidden, kernel, bias, targets, max(1, logits // kernel.shape[1]))
    return total / tf.cast(tf.maximum(1, tf.size(targets)), total.dtype)


def sum_in_blocks(hidden, kernel, bias, targets, rows: int) -> tf.Tensor:
    """The sum of the cross entropies of (M, H) positions, so many rows at a time, with a gradient of its own."""

    @tf.custom_gradient
    def total(hidden, kernel, bias):
        count, narrow = tf.shape(hidden)[0], tf.cast(kernel, hidden.dtype)
        blocks = tf.maximum(1, -(-count // rows))

        def add_block(index, total, d_hidden, d_kernel, d_bias):
            block = slice(index * rows, (index + 1) * rows)
            h = hidden[block]
            losses, d_logits = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
                features=tf.cast(tf.matmul(h, narrow), bias.dtype) + bias, labels=targets[block]
            )
            d_product = tf.cast(d_logits, h.dtype)
            return (
                index + 1,
                total + tf.reduce_sum(losses),
                d_hidden.write(index, tf.matmul(d_product, narrow, transpose_b=True)),
                d_kernel + tf.cast(tf.matmul(h, d_product, transpose_a=True), kernel.dtype),
                d_bias + tf.reduce_sum(d_logits, axis=0),
            )

        pieces = tf.TensorArray(hidden.dtype, blocks, infer_shape=False, element_shape=(None, kernel.shape[0]))
        start = 0, tf.zeros((), bias.dtype), pieces, tf.zeros_like(kernel), tf.zeros_like(bias)
        _, result, pieces, d_kernel, d_bias = tf.while_loop(
            lambda index, *_: index < blocks, add_block, start, parallel_iterations=1
        )
        d_hidden = tf.ensure_shape(pieces.concat(), hidden.shape)
        return result, lambda d: (tf.cast(d, hidden.dtype) * d_hidden, d * d_kernel, d * d_bias)

    return total(hidden, kernel, bias)


class ReadOutCrossentropy:
    """`read_out_crossentropy` of a network, from the input of its layer `dense`; no logits are kept.

    Args:
        network: a `keras.Model` made by `network.build`.
        first: the first output that counts as a target.

    Attributes:
        forward: the same network up to the input of `dense`.
    """

    def __init__(self, network: keras.Model, first: int):
        self._first, self._read_out = first, network.get_layer("dense")
        self.forward = keras.Model(network.input, self._read_out.input)

    def count(self, targets) -> tf.Tensor:
        """How many targets count."""
        return tf.math.count_nonzero(targets >= self._first, dtype=tf.int32)

    def __call__(self, targets, hidden) -> tf.Tensor:
        kernel, bias = (tf.convert_to_tensor(weight) for weight in (self._read_out.kernel, self._read_out.bias))
        return read_out_crossentropy(hidden, kernel, bias, targets, self._first)
