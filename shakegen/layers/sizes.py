"""Sizes of a batch that are not known beforehand: XLA compiles for few of them.

Numbers of sequences are rounded up. Sequences are cut into blocks of equal length, and the loop is compiled for one.
"""

import tensorflow as tf

STEPS = 32  # of a block


def is_open(size) -> bool:
    """Whether a size is not known beforehand: each call may have another one."""
    return tf.is_tensor(size) or tf.executing_eagerly()


def round_up(size):
    """A number of sequences that is not known beforehand, rounded up to a multiple of 8 and to one of few.

    There are four of them from each power of 2 to the next.
    """
    if not is_open(size):
        return size
    above = size | 63  # and all lower bits: one less than a power of 2
    for shift in 1, 2, 4, 8, 16:
        above |= above // (1 << shift)
    unit = (above + 1) // 8
    return (size + unit - 1) // unit * unit


def cut(tensor):
    """Sequences (N, T, …) as blocks (C, N, STEPS, …), with zeros after the last step."""
    batch, length, *rest = shape_of(tensor)
    count = (length + STEPS - 1) // STEPS
    padded = tf.pad(tensor, ((0, 0), (0, count * STEPS - length), *[(0, 0)] * len(rest)))
    return _swap(tf.reshape(padded, (batch, count, STEPS, *rest)))


def join(blocks, length):
    """The sequences (N, T, …) of blocks (C, N, STEPS, …)."""
    count, batch, _, *rest = shape_of(blocks)
    return tf.reshape(_swap(blocks), (batch, count * STEPS, *rest))[:, :length]


def _swap(blocks):
    return tf.transpose(blocks, (1, 0, *range(2, blocks.shape.rank)))


def repeat_last(tensor, more):
    """A tensor (N, …) with more rows, all like the last one: nothing computed of it is NaN."""
    if not tf.is_tensor(more) and more == 0:
        return tensor
    return tf.concat([tensor, tf.repeat(tensor[-1:], more, axis=0)], 0)


def give_rows(tensor, batch):
    """A tensor (N, ·); one that is given for all sequences may have one row."""
    known = not tf.is_tensor(batch) and tensor.shape[0] == batch
    return tensor if known else tf.broadcast_to(tensor, (batch, shape_of(tensor)[1]))


def shape_of(tensor):
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(tensor.shape)]
