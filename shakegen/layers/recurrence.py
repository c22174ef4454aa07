"""One loop over time for every recurrent cell, on the TensorFlow backend, with a gradient of its own.

Backpropagation through a loop multiplies by the transposed weights and by the weights' inputs at every step. Here the
loop backward finds only the gradients δ of the pre-activations, one small product a step; each weight's gradient is
then a single large product over all steps. XLA compiles both loops. A batch is shared among the processor's cores: a
loop for each, side by side, that read the same weights, so that these stay in the cache that the cores have in common.

XLA compiles anew for each size of a batch. Sizes that are not known beforehand are therefore rounded up: there is room
for more steps, which the loop does not run, and for more sequences, copies of the last one that nobody reads.
"""

import functools
import os

import tensorflow as tf

from shakegen.cells.plan import Plan, loop_size, plan
from shakegen.cells.program import evaluate, order_of
from shakegen.layers.lookup import find_ids
from shakegen.layers.loops import backward, differentiate, differentiate_eagerly, forward, shape_of
from shakegen.layers.private_doors import is_mapped, record
from shakegen.layers.sizes import give_rows, is_open, pad_steps, repeat_last, round_up
from shakegen.layers.tensorflow_operations import TENSORFLOW

LEAST_ROWS = 16  # sequences that are worth a core of their own
USUAL_BATCH = 64  # assumed for a batch of unknown size
ALL = slice(None)


def run(cell, weights, sequences, states, go_backwards=False, masks=None, drop_h=False):
    """The outputs of a recurrent layer, (N, T, H), and its final states, a list of tensors (N, H).

    Args:
        cell: a `cells.Cell`.
        weights: tensors by the names and in the shapes of `cell.weights`.
        sequences: tensor (N, T, inputs).
        states: tensors (N, H), or (1, H) for all sequences, h first.
        go_backwards: whether the sequences are read from their ends.
        masks: tensor (N, T, ·), the masks of `cells.graph.trace_training` side by side, if there are any.
        drop_h: whether the first of them is for h.
    """
    sequences = tf.convert_to_tensor(sequences)
    if go_backwards:
        sequences = tf.reverse(sequences, [1])
        masks = None if masks is None else tf.reverse(masks, [1])
    batch, length, size = shape_of(sequences)
    ids = find_ids(sequences) if multiplies_inputs(plan(cell, size, True, drop_h)) else None
    steps = plan(cell, size, ids is not None, drop_h)
    values = {symbol: weights[name] for name, symbol in steps.graph.weights.items()}
    more_rows, more_steps = round_up(batch, 4) - batch, round_up(length, 2) - length
    if ids is None:
        x = tf.pad(sequences, ((0, 0), (0, 1), (0, 0)))
        inputs = [
            repeat_last(pad_steps(group, more_steps), more_rows)
            for group in evaluate(steps.groups, {**values, steps.graph.x: x}, TENSORFLOW)
        ]
    else:
        ids = tf.cast(ids, tf.int64)  # no small integer holds every size
        ids = tf.cast(tf.where((ids >= 0) & (ids < size), ids, size), tf.int32)
        ids = repeat_last(pad_steps(ids, more_steps), more_rows)
        inputs = tables_of(steps, values, tf.reduce_any(ids == size))
    states = [repeat_last(give_rows(tf.convert_to_tensor(state), batch), more_rows) for state in states]
    masks = None if masks is None else repeat_last(pad_steps(masks, more_steps), more_rows)
    prepared = evaluate(steps.prepared, values, TENSORFLOW)
    count = tf.convert_to_tensor(length) if is_open(length) else None
    key, parts = loop_key(cell, size, ids is not None, drop_h), _parts(sequences.shape[0])
    outputs, states = recurrence(key, inputs, ids, states, prepared, parts, count, masks)
    if is_open(length):
        outputs = outputs[:, :length]
    return (outputs[:batch], [state[:batch] for state in states]) if is_open(batch) else (outputs, states)


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


def recurrence(key, inputs, ids, states, weights, parts=1, count=None, masks=None):
    """The outputs h, (N, T, H), and the list of final states, (N, H) each; differentiable any number of times.

    Gradients of gradients, and gradients forward, come from the steps one by one, without the compiled loops.

    Args, of N sequences of T steps, H units:
        key: of the loop: the arguments of `cells.plan.plan`.
        inputs: the inputs of the steps, for each of the plan's groups: tensors (N, T + 1, ·), their last step ignored;
            or, with ids, the tables (V, ·) to look them up in.
        ids: integers (N, T), or None.
        states: tensors (N, H), h first.
        weights: tensors, for each of the plan's loop weights.
        parts: into how many parts the batch is cut, for as many loops side by side.
        count: how many of the T steps there are, a tensor; None: all. Outputs of the others are zeros.
        masks: tensor (N, T, ·), the plan's masks side by side; None if it has none.
    """
    batch, steps = shape_of(states[0])[0], plan(*key)
    spans = [slice(part * batch // parts, (part + 1) * batch // parts) for part in range(parts)] if parts > 1 else [ALL]
    own_ids, own_masks = ([None if one is None else rows([one], span)[0] for span in spans] for one in (ids, masks))
    groups, memories = len(inputs), len(states)

    def split(given):
        return given[:groups], given[groups : groups + memories], given[groups + memories :]

    @tf.custom_gradient
    def differentiable(*given):
        inputs, states, weights = split(given)
        own_inputs = [rows(inputs, span) if ids is None else inputs for span in spans]
        with record.stop_recording():
            parts = zip(own_inputs, own_ids, spans, own_masks)
            results = [forward(key)(z, own, rows(states, span), weights, count, m) for z, own, span, m in parts]
        # Where a function is differentiated twice, TensorFlow asks how these depend on what is given: `gradient` says it.
        results = [(returned, *tf.nest.map_structure(tf.stop_gradient, rest)) for returned, *rest in results]

        def by_compiled_loop(d_returned):
            transposed = [tf.transpose(weight) if weight.shape.rank == 2 else weight for weight in weights]
            gradients = []
            for span, own, z, m, (_, stacks, kept) in zip(spans, own_ids, own_inputs, own_masks, results):
                d_states, deltas = backward(key)(stacks, kept, rows(d_returned, span), transposed, count, m)
                d_inputs = _input_gradients(steps, z, own, deltas)
                gradients.append((d_inputs, d_states, _weight_gradients(steps, stacks, kept, deltas, weights)))
            d_inputs, d_states, d_weights = zip(*gradients)
            d_inputs = _joined(d_inputs) if ids is None else _added(d_inputs)
            return [*d_inputs, *_joined(d_states), *_added(d_weights)]

        @tf.custom_gradient
        def gradient(*given_and_d):
            d_returned = given_and_d[len(given) :]
            # Copies, for some may be made of others, and a function's gradient may only see its own graph's tensors.
            known = tf.nest.map_structure(
                lambda one: one if one is None else tf.identity(one),
                (*split(given_and_d[: len(given)]), ids, count, masks, d_returned),
            )
            with record.stop_recording():
                found = differentiate(key, *known) if is_mapped() else by_compiled_loop(d_returned)

            def gradient_of_gradient(*d_found):
                again = differentiate_eagerly(key) if tf.executing_eagerly() else functools.partial(differentiate, key)
                return again(*known, d_found)

            return found, gradient_of_gradient

        returned = _joined([returned for returned, _, _ in results])
        return tuple(returned), lambda *d_returned: gradient(*given, *d_returned)

    outputs, *states = differentiable(*inputs, *states, *weights)
    return outputs, states


def rows(tensors, span):
    return [tensor if span is ALL else tensor[span] for tensor in tensors]


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
