"""Sizes of a batch that are not known beforehand, rounded up, so that XLA compiles for few of them."""

import tensorflow as tf


def is_open(size) -> bool:
    """Whether a size is not known beforehand: each call may have another one."""
    return tf.is_tensor(size) or tf.executing_eagerly()


def round_up(size, finer: int):
    """A size that is not known beforehand, rounded up to a multiple of 8 and to one of few.

    There are `finer` of them from each power of 2 to the next.
    """
    if not is_open(size):
        return size
    below = tf.convert_to_tensor(size) - 1
    for shift in 1, 2, 4, 8, 16:
        below = tf.bitwise.bitwise_or(below, tf.bitwise.right_shift(below, shift))
    unit = tf.maximum((below + 1) // (2 * finer), 8)
    return (size + unit - 1) // unit * unit


def pad_steps(tensor, more):
    """A tensor (N, T, …) with room for more steps."""
    return tensor if is_zero(more) else tf.pad(tensor, ((0, 0), (0, more), *[(0, 0)] * (tensor.shape.rank - 2)))


def repeat_last(tensor, more):
    """A tensor (N, …) with more rows, all like the last one: nothing computed of it is NaN."""
    if is_zero(more):
        return tensor
    return tf.concat([tensor, tf.repeat(tensor[-1:], more, axis=0)], 0)


def is_zero(more) -> bool:
    return not tf.is_tensor(more) and more == 0


def give_rows(state, batch):
    """A state for each sequence; one that is given for all of them may have one row."""
    known = not tf.is_tensor(batch) and state.shape[0] == batch
    return state if known else tf.broadcast_to(state, (batch, state.shape[1]))
