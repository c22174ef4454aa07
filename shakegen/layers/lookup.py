"""Recognising a tensor that is one-hot by construction, so that a product with it can be a look-up."""

import tensorflow as tf

from shakegen.layers.private_doors import record

PASSING = {"Identity", "StopGradient", "Cast", "EnsureShape"}


def find_ids(sequences):
    """The ids (N, T) of one-hot sequences, to be looked up; None where they are not, or may need a gradient.

    They need none where a tape records and does not watch them. `tf.gradients` needs no tape.
    """
    if not record.could_possibly_record() or record.should_record_backprop([sequences]):
        return None
    return ids_of_one_hot(sequences)


def ids_of_one_hot(tensor):
    """The integers that `tensor` is the one-hot encoding of, along its last axis, or None where that is not known.

    Only a tensor that a OneHot operation of the same graph makes is recognised; integers out of range stand for rows
    of zeros. An eager tensor never is.
    """
    if not tf.is_symbolic_tensor(tensor):
        return None
    operation = tensor.op
    while operation.type in PASSING and operation.inputs[0].dtype.is_floating:
        operation = operation.inputs[0].op
    if operation.type != "OneHot" or operation.get_attr("axis") not in (-1, tensor.shape.rank - 1):
        return None
    ids, _, on, off = operation.inputs
    return ids if tf.get_static_value(on) == 1 and tf.get_static_value(off) == 0 else None
