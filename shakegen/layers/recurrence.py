"""One loop over time for every recurrent cell, on the TensorFlow backend, with a gradient of its own.

Backpropagation through a loop multiplies by the transposed weights and by the weights' inputs at every step. Here the
loop backward finds only the gradients δ of the pre-activations, one small product a step; each weight's gradient is
then a single large product over all steps. XLA compiles both loops. A batch is shared among the processor's cores: a
loop for each, side by side, that read the same weights, so that these stay in the cache that the cores have in common.
"""

import os

import tensorflow as tf

from shakegen.cells.plan import Plan, loop_size, plan
from shakegen.cells.program import evaluate, order_of
from shakegen.layers.lookup import ids_of_one_hot
from shakegen.layers.loops import backward, forward, shape_of
from shakegen.layers.private_doors import record
from shakegen.layers.tensorflow_operations import TENSORFLOW

LEAST_ROWS = 16  # sequences that are worth a core of their own
USUAL_BATCH = 64  # assumed for a batch of unknown size
ALL = slice(None)


def run(cell, weights, sequences, states, go_backwards=False, keep=True):
    """The outputs of a recurrent layer, (N, T, H), and its final states, a list of tensors (N, H).

    Args:
        cell: a `cells.Cell`.
        weights: tensors by the names and in the shapes of `cell.weights`.
        sequences: tensor (N, T, inputs).
        states: tensors (N, H), h first.
        go_backwards: whether the sequences are read from their ends.
        keep: whether to keep the values that gradients need; without them, gradients need a second forward pass.
    """
    sequences = tf.convert_to_tensor(sequences)
    if go_backwards:
        sequences = tf.reverse(sequences, [1])
    steps = plan(cell, sequences.shape[-1])
    values = {symbol: weights[name] for name, symbol in steps.graph.weights.items()}
    ids = None if record.should_record_backprop([sequences]) else ids_of_one_hot(sequences)
    if ids is None:
        x = tf.pad(sequences, ((0, 0), (0, 1), (0, 0)))
        inputs = evaluate(steps.groups, {**values, steps.graph.x: x}, TENSORFLOW)
    else:
        none, ids = sequences.shape[-1], tf.cast(ids, tf.int64)  # no small integer holds every size
        ids = tf.cast(tf.where((ids >= 0) & (ids < none), ids, none), tf.int32)
        inputs = tables_of(steps, values, none)
    states = [tf.convert_to_tensor(state) for state in states]  # those of stateful layers are variables
    prepared = evaluate(steps.prepared, values, TENSORFLOW)
    return recurrence(
        loop_key(cell, sequences.shape[-1]), inputs, ids, states, prepared, _parts(sequences.shape[0]), keep
    )


def tables_of(steps: Plan, values: dict, symbols: int) -> list:
    """The input of a step for each one-hot input, and for an input of zeros, shape (V + 1, ·)."""
    values = dict(values)
    for symbol in order_of(steps.groups, values):
        if symbol.operation == "matmul" and symbol.inputs[0] is steps.graph.x:
            (weight,) = evaluate([symbol.inputs[1]], values, TENSORFLOW)
            values[symbol] = tf.pad(weight, ((0, 1), (0, 0)))
    if steps.graph.x in steps.groups:
        values[steps.graph.x] = tf.eye(symbols + 1, symbols, dtype=next(iter(values.values())).dtype)
    return evaluate(steps.groups, values, TENSORFLOW)


def loop_key(cell, inputs: int) -> tuple:
    """The arguments of `plan` for a loop, which is compiled once for all sizes of inputs that it is alike for."""
    return cell, loop_size(cell, inputs)


def _parts(batch):
    return 1 if tf.executing_eagerly() else count_parts(batch)  # eagerly, one part would wait for the other


def count_parts(batch):
    """How many parts, run side by side, a compiled function cuts a batch of N sequences into; None: N is not known."""
    if tf.config.list_logical_devices("GPU"):
        return 1
    return max(1, min(cores(), (USUAL_BATCH if batch is None else batch) // LEAST_ROWS))


def cores():
    """How many threads TensorFlow computes with."""
    asked = tf.config.threading.get_intra_op_parallelism_threads() or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    return asked or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


def recurrence(key, inputs, ids, states, weights, parts=1, keep=True):
    """The outputs h, (N, T, H), and the list of final states, (N, H) each; differentiable once.

    Args, of N sequences of T steps, H units:
        key: of the loop: the arguments of `cells.plan.plan`.
        inputs: the inputs of the steps, for each of the plan's groups: tensors (N, T + 1, ·), their last step ignored;
            or, with ids, the tables (V, ·) to look them up in.
        ids: integers (N, T), or None.
        states: tensors (N, H), h first.
        weights: tensors, for each of the plan's loop weights.
        parts: into how many parts the batch is cut, for as many loops side by side.
        keep: as `run` has it.
    """
    batch = shape_of(states[0])[0]
    spans = [slice(part * batch // parts, (part + 1) * batch // parts) for part in range(parts)] if parts > 1 else [ALL]

    def rows(tensors, span):
        return [tensor if span is ALL else tensor[span] for tensor in tensors]

    @tf.custom_gradient
    def differentiable(inputs, states, weights):
        own_ids = [None if ids is None else rows([ids], span)[0] for span in spans]
        own_inputs = [rows(inputs, span) if ids is None else inputs for span in spans]

        def pass_forward(keep):
            parts = zip(own_inputs, own_ids, spans)
            return [forward(key, keep)(z, own, rows(states, span), weights) for z, own, span in parts]

        with record.stop_recording():
            results = pass_forward(keep)

        def gradient(*d_returned):
            transposed = [tf.transpose(weight) if weight.shape.rank == 2 else weight for weight in weights]
            gradients, whole = [], results if keep else pass_forward(True)
            for part, span in enumerate(spans):
                _, stacks, kept = whole[part]
                d_states, deltas = backward(key)(stacks, kept, rows(d_returned, span), transposed)
                d_inputs = _input_gradients(plan(*key), own_inputs[part], own_ids[part], deltas)
                gradients.append((d_inputs, d_states, _weight_gradients(plan(*key), stacks, kept, deltas, weights)))
            d_inputs, d_states, d_weights = zip(*gradients)
            d_inputs = _joined(d_inputs) if ids is None else _added(d_inputs)
            return [*d_inputs, *_joined(d_states), *_added(d_weights)]

        return tuple(_joined([returned for returned, _, _ in results])), gradient

    outputs, *states = differentiable(tuple(inputs), tuple(states), tuple(weights))
    return outputs, states


def _joined(parts):
    return [tensors[0] if len(tensors) == 1 else tf.concat(tensors, 0) for tensors in zip(*parts)]


def _added(parts):
    return [tensors[0] if len(tensors) == 1 else tf.add_n(tensors) for tensors in zip(*parts)]


def _input_gradients(steps: Plan, inputs, ids, deltas):
    if ids is None:
        return [_columns(deltas[number], start, stop) for number, start, stop in steps.group_deltas]
    return sums_by_id(deltas, ids, inputs[0].shape[0], tuple(steps.group_deltas))


def _weight_gradients(steps: Plan, stacks, kept, deltas, weights):
    """The gradient of each weight: the sum, over all steps, of (its input)ᵀ δ, or of δ."""
    gradients = []
    for weight, terms in zip(weights, steps.weight_terms):
        sums = []
        for left, number, start, stop in terms:
            delta = _columns(deltas[number], start, stop)
            if left is None:
                sums.append(tf.reduce_sum(delta, axis=(0, 1)))
            else:
                sums.append(tf.matmul(_flat(stacks[0] if left == "h" else kept[left]), _flat(delta), transpose_a=True))
        gradients.append(tf.add_n(sums) if sums else tf.zeros_like(weight))
    return gradients


def _columns(stack, start, stop):
    return stack if (start, stop) == (0, stack.shape[-1]) else stack[..., start:stop]


def _flat(stack):
    return tf.reshape(stack, (-1, stack.shape[-1]))


@tf.function(jit_compile=True, autograph=False)
def sums_by_id(deltas, ids, symbols, places):
    """The sum for each symbol's row; in 32 bits at least, for there may be thousands of terms."""
    sums = []
    for number, start, stop in places:
        delta = deltas[number]
        wide = delta if delta.dtype == tf.float64 else tf.cast(delta, tf.float32)
        sums.append(tf.cast(tf.math.unsorted_segment_sum(wide[:, :-1, start:stop], ids, symbols), delta.dtype))
    return sums
