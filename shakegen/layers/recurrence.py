"""One loop over time for every recurrent cell, on the TensorFlow backend, with a gradient of its own.

Backpropagation through a loop multiplies by the transposed weights and by the weights' inputs at every step. Here the
loop backward finds only the gradients δ of the pre-activations, one small product a step; each weight's gradient is
then a single large product over all steps. XLA compiles both loops. A batch is shared among the processor's cores: a
loop for each, side by side, that read the same weights, so that these stay in the cache that the cores have in common.
Very wide layers have one loop, whose products the cores share.

XLA compiles anew for each size of a batch. Sequences whose length is not known beforehand are therefore cut into
blocks of equal length, and the compiled loops run one block after the other. A number of sequences that is not known is
rounded up: copies of the last one are added, and nobody reads their outputs.
"""

import functools
import math
import os

import tensorflow as tf

from shakegen.cells.plan import Plan, loop_size, plan
from shakegen.cells.program import evaluate, order_of
from shakegen.layers.blocks import ALL, backward_all, backward_by_blocks, forward_all, forward_by_blocks
from shakegen.layers.lookup import find_ids
from shakegen.layers.loops import differentiate, differentiate_eagerly
from shakegen.layers.private_doors import is_mapped, record
from shakegen.layers.sizes import cut, give_rows, is_open, join, repeat_last, round_up, shape_of
from shakegen.layers.tensorflow_operations import TENSORFLOW, widen

LEAST_ROWS = 8  # sequences that are worth a core of their own
SHARED = 1 << 26  # multiplications; loops side by side would each read the weights of a product so large
USUAL_BATCH = 64  # assumed for a batch of unknown size


def run(
    cell, weights, sequences, states, go_backwards=False, masks=None, drop_h=False, present=None, zero_output=False
):
    """The last output of a recurrent layer, (N, H), all outputs, (N, T, H), and the final states, tensors (N, H).

    Args:
        cell: a `cells.Cell`.
        weights: tensors by the names and in the shapes of `cell.weights`, in 32 bits at least.
        sequences: tensor (N, T, inputs); the outputs have its dtype.
        states: tensors (N, H), or (1, H) for all sequences, h first.
        go_backwards: whether the sequences are read from their ends.
        masks: tensor (N, T, ·), the masks of `cells.graph.trace_training` side by side, if there are any.
        drop_h: whether the first of them is for h.
        present: truth values (N, T), or (1, T) for all sequences; an absent step changes no state. None: all are there.
        zero_output: whether the output of an absent step is zero, instead of the one before.
    """
    sequences = tf.convert_to_tensor(sequences)
    (batch, length, size), dtype = shape_of(sequences), sequences.dtype
    present = None if present is None else give_rows(tf.cast(present, tf.bool), batch)
    ids = find_ids(sequences) if multiplies_inputs(plan(cell, size, True, drop_h)) else None
    if go_backwards:
        by_step = sequences, ids, masks, present
        sequences, ids, masks, present = (None if z is None else tf.reverse(z, [1]) for z in by_step)
    steps = plan(cell, size, ids is not None, drop_h)
    values = {symbol: weights[name] for name, symbol in steps.graph.weights.items()}
    if ids is not None:
        ids = tf.cast(ids, tf.int64)  # no small integer holds every size
        ids = tf.cast(tf.where((ids >= 0) & (ids < size), ids, size), tf.int32)
    more = round_up(batch) - batch
    states = [repeat_last(give_rows(widen(tf.convert_to_tensor(state)), batch), more) for state in states]
    by_step = [None if z is None else repeat_last(z, more) for z in (sequences, ids, masks, present)]
    x, ids, masks, there = by_step if not is_open(length) else [None if z is None else cut(z) for z in by_step]
    if ids is None:
        x = tf.pad(x, (*[(0, 0)] * (x.shape.rank - 2), (0, 1), (0, 0)))
        narrow = {symbol: tf.cast(weight, dtype) for symbol, weight in values.items()}
        inputs = evaluate(steps.groups, {**narrow, steps.graph.x: x}, TENSORFLOW)
    else:
        inputs = tables_of(steps, values, tf.reduce_any(ids == size))
    prepared = evaluate(steps.prepared, values, TENSORFLOW)
    key = loop_key(cell, size, ids is not None, drop_h)
    parts = 1 if tf.executing_eagerly() else count_parts(sequences.shape[0], steps)  # eagerly, one waits for another
    count = tf.convert_to_tensor(length) if is_open(length) else None
    outputs, states = recurrence(key, inputs, ids, states, prepared, parts, count, masks, there, dtype)
    if is_open(length):
        outputs = join(outputs, length)
    if is_open(batch):
        outputs, states = outputs[:batch], [state[:batch] for state in states]
    states = [tf.cast(state, dtype) for state in states]
    if present is None:
        return states[0], outputs, states
    shown = (present if zero_output else tf.cumsum(tf.cast(present, tf.int32), axis=1) > 0)[..., None]
    return tf.where(shown[:, -1], states[0], 0), tf.where(shown, outputs, 0), states


def multiplies_inputs(steps: Plan) -> bool:
    """Whether a step does nothing with its input but multiply it by weights."""
    x = steps.graph.x
    return x not in steps.groups and all(
        symbol.operation == "matmul" for symbol in order_of(steps.groups) if x in symbol.inputs
    )


def tables_of(steps: Plan, values: dict, outside) -> list:
    """The input of a step for each one-hot input, and for an input of zeros, shape (V + 1, ·).

    Args:
        outside: whether there is an input of zeros, a tensor. If not, its row is like the first one: the equations may
            have no gradient at zero.
    """
    values = dict(values)
    for symbol in order_of(steps.groups, values):
        if symbol.operation == "matmul" and symbol.inputs[0] is steps.graph.x:
            (weight,) = evaluate([symbol.inputs[1]], values, TENSORFLOW)
            row = tf.where(outside, tf.zeros_like(weight[:1]), weight[:1])
            values[symbol] = tf.concat([weight, row], 0)
    return evaluate(steps.groups, values, TENSORFLOW)


def loop_key(cell, inputs: int, by_id: bool = False, drop_h: bool = False) -> tuple:
    """The arguments of `plan` for a loop, which is compiled once for all sizes of inputs that it is alike for."""
    return cell, loop_size(cell, inputs, by_id, drop_h), by_id, drop_h


def count_parts(batch: int | None, steps: Plan) -> int:
    """How many parts, run side by side, a compiled loop cuts a batch of N sequences into; None: N is not known."""
    rows, widest = USUAL_BATCH if batch is None else batch, max((math.prod(w.shape) for w in steps.prepared), default=0)
    if rows * widest >= SHARED or tf.config.list_logical_devices("GPU"):
        return 1
    return max(1, min(cores(), rows // LEAST_ROWS))


def cores():
    """How many threads TensorFlow computes with."""
    asked = tf.config.threading.get_intra_op_parallelism_threads() or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    return asked or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


def recurrence(key, inputs, ids, states, weights, parts=1, length=None, masks=None, present=None, stored=None):
    """The outputs h, (N, T, H), and the list of final states, (N, H) each; differentiable any number of times.

    With a length, values of steps come in blocks, (C, N, STEPS, ·), and so do the outputs. Gradients of gradients, and
    gradients forward, come from the steps one by one, without the compiled loops.

    Steps are computed in the dtype of the states, which tables have too. Inputs, outputs, the values that are kept, and
    the products after the loop may have 16 bits.

    Args, of N sequences of T steps, H units:
        key: of the loop: the arguments of `cells.plan.plan`.
        inputs: the inputs of the steps, for each of the plan's groups: tensors (N, T + 1, ·), or (C, N, STEPS + 1, ·),
            their last step ignored; or, with ids, the tables (V, ·) to look them up in.
        ids: integers (N, T), or None.
        states: tensors (N, H), h first.
        weights: tensors, for each of the plan's loop weights.
        parts: into how many parts the batch is cut, for as many loops side by side.
        length: the number T of steps, a tensor, where it is not known beforehand.
        masks: tensor (N, T, ·), the plan's masks side by side; None if it has none.
        present: truth values (N, T): whether a step changes the states; None: all do.
        stored: the dtype of outputs and of kept values; None: that of the states.
    """
    batch, stored = shape_of(states[0])[0], stored or states[0].dtype
    spans = [slice(part * batch // parts, (part + 1) * batch // parts) for part in range(parts)] if parts > 1 else [ALL]
    groups, memories = len(inputs), len(states)
    go, go_back = (forward_all, backward_all) if length is None else (forward_by_blocks, backward_by_blocks)

    def split(given):
        return given[:groups], given[groups : groups + memories], given[groups + memories :]

    @tf.custom_gradient
    def differentiable(*given):
        inputs, states, weights = split(given)
        with record.stop_recording():
            returned, saved = go(key, spans, inputs, ids, states, weights, length, masks, present, stored)

        @tf.custom_gradient
        def gradient(*given_and_d):
            d_returned = given_and_d[len(given) :]
            # Copies, for some may be made of others, and a function's gradient may only see its own graph's tensors.
            known = tf.nest.map_structure(
                lambda one: one if one is None else tf.identity(one),
                (*split(given_and_d[: len(given)]), ids, length, masks, present, d_returned),
            )
            with record.stop_recording():
                if is_mapped():
                    found = differentiate(key, *known)
                else:
                    found = go_back(key, spans, saved, inputs, ids, d_returned, weights, length, masks, present)

            def gradient_of_gradient(*d_found):
                again = differentiate_eagerly(key) if tf.executing_eagerly() else functools.partial(differentiate, key)
                return again(*known, d_found)

            return found, gradient_of_gradient

        return tuple(returned), lambda *d_returned: gradient(*given, *d_returned)

    outputs, *states = differentiable(*inputs, *states, *weights)
    return outputs, states
