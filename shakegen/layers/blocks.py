"""Passes over sequences, forward and backward: all parts of a batch side by side, and all blocks one after the other.

The functions have the arguments of `recurrence`, of which spans are the parts of the batch. `saved` is between them.
"""

import tensorflow as tf

from shakegen.cells.plan import Plan, plan
from shakegen.layers.loops import backward, forward
from shakegen.layers.sizes import STEPS
from shakegen.layers.tensorflow_operations import widen

ALL = slice(None)


def forward_all(key, spans, inputs, ids, states, weights, count, masks, present):
    """The outputs and final states, in one list, and the values of each part that `backward_all` reads."""
    results = []
    for span in spans:
        own_inputs, own_states = rows(inputs, span) if ids is None else inputs, rows(states, span)
        own_ids, own_masks, own_present = rows((ids, masks, present), span)
        found = forward(key)(own_inputs, own_ids, own_states, weights, count, own_masks, own_present)
        # A function that is differentiated twice would ask XLA for gradients that only `recurrence` knows.
        results.append(tf.nest.map_structure(tf.stop_gradient, found))
    return _joined([returned for returned, _, _ in results]), [saved for _, *saved in results]


def backward_all(key, spans, saved, inputs, ids, d_returned, weights, count, masks, present):
    """The gradients by inputs, states and weights, in one list."""
    steps, gradients = plan(*key), []
    transposed = [tf.transpose(weight) if weight.shape.rank == 2 else weight for weight in weights]
    for span, (stacks, kept) in zip(spans, saved):
        own_ids, own_masks, own_present = rows((ids, masks, present), span)
        own_d = rows(d_returned, span)
        d_states, deltas = backward(key)(stacks, kept, own_d, transposed, count, own_masks, own_present)
        d_inputs = _input_gradients(steps, inputs, own_ids, deltas)
        gradients.append((d_inputs, d_states, _weight_gradients(steps, stacks, kept, deltas, weights)))
    d_inputs, d_states, d_weights = zip(*gradients)
    return [*(_joined(d_inputs) if ids is None else _added(d_inputs)), *_joined(d_states), *_added(d_weights)]


def forward_by_blocks(key, spans, inputs, ids, states, weights, length, masks, present):
    blocks, batch, steps = (length + STEPS - 1) // STEPS, states[0].shape[0], plan(*key)
    widths = [state.shape[-1] for state in (*steps.states, *steps.kept)]
    sizes = [batch if span is ALL else span.stop - span.start for span in spans]
    shapes = [(None if tf.is_tensor(size) else size, STEPS + 1, width) for size in sizes for width in widths]

    def step(number, states, lists):
        own = [_block(z, number) for z in (ids, masks, present)]
        own_inputs = [_block(z, number) for z in inputs] if ids is None else inputs
        count = tf.minimum(length - number * STEPS, STEPS)
        (outputs, *states), saved = forward_all(key, spans, own_inputs, own[0], states, weights, count, *own[1:])
        values = tf.nest.flatten([outputs, saved])
        return number + 1, states, [one.write(number, value) for one, value in zip(lists, values)]

    lists = [_make_list(inputs[0].dtype, blocks, shape) for shape in [(batch, STEPS, widths[0]), *shapes]]
    loop = tf.while_loop(lambda number, *_: number < blocks, step, (tf.constant(0), list(states), lists))
    _, states, (outputs, *lists) = loop
    return [outputs.stack(), *states], lists


def backward_by_blocks(key, spans, lists, inputs, ids, d_returned, weights, length, masks, present):
    steps, blocks, (d_outputs, *d_states) = plan(*key), (length + STEPS - 1) // STEPS, d_returned
    every, groups, memories = len(lists) // len(spans), len(inputs), len(d_states)

    def step(number, d_inputs, d_states, d_weights):
        parts = [[one.read(number) for one in lists[k : k + every]] for k in range(0, len(lists), every)]
        saved = [(part[:memories], part[memories:]) for part in parts]
        own = [_block(z, number) for z in (ids, masks, present)]
        count = tf.minimum(length - number * STEPS, STEPS)
        d_own = [_block(d_outputs, number), *d_states]
        found = backward_all(key, spans, saved, inputs, own[0], d_own, weights, count, *own[1:])
        if ids is None:
            d_inputs = [one.write(number, value) for one, value in zip(d_inputs, found)]
        else:
            d_inputs = [one + value for one, value in zip(d_inputs, found)]
        d_weights = [one + value for one, value in zip(d_weights, found[groups + memories :])]
        return number - 1, d_inputs, found[groups : groups + memories], d_weights

    if ids is None:
        shapes = [(d_outputs.shape[1], STEPS + 1, group.shape[-1]) for group in steps.loop_groups]
        empty = [_make_list(d_outputs.dtype, blocks, shape) for shape in shapes]
    else:
        empty = [tf.zeros_like(table) for table in inputs]
    start = (blocks - 1, empty, d_states, [tf.zeros_like(weight) for weight in weights])
    _, d_inputs, d_states, d_weights = tf.while_loop(lambda number, *_: number >= 0, step, start)
    return [*(d_inputs if ids is not None else [one.stack() for one in d_inputs]), *d_states, *d_weights]


def _make_list(dtype, size, shape):
    return tf.TensorArray(dtype, size, clear_after_read=False, element_shape=shape)


def _block(blocks, number):
    return None if blocks is None else blocks[number]


def rows(tensors, span):
    return [tensor if tensor is None or span is ALL else tensor[span] for tensor in tensors]


def _joined(parts):
    return [tensors[0] if len(tensors) == 1 else tf.concat(tensors, 0) for tensors in zip(*parts)]


def _added(parts):
    return [tensors[0] if len(tensors) == 1 else tf.add_n(tensors) for tensors in zip(*parts)]


def _input_gradients(steps: Plan, inputs, ids, deltas):
    if ids is None:
        return [_columns(deltas[number], start, stop) for number, start, stop in steps.group_deltas]
    return sums_by_id(deltas, ids, inputs[0].shape[0], tuple(steps.group_deltas))


def _weight_gradients(steps: Plan, stacks, kept, deltas, weights):
    """The gradient of each weight: the sum, over all steps, of (its input)ᵀ δ, or of δ.

    A product of 16 bits is quick where the processor has an instruction for it, which adds in 32 bits.
    """
    gradients = []
    for weight, terms in zip(weights, steps.weight_terms):
        sums = []
        for left, number, start, stop in terms:
            delta = _columns(deltas[number], start, stop)
            if left is None:
                sums.append(tf.reduce_sum(delta, axis=(0, 1)))
            else:
                sums.append(tf.matmul(_flat(stacks[0] if left == "h" else kept[left]), _flat(delta), transpose_a=True))
        gradients.append(tf.add_n([tf.cast(one, weight.dtype) for one in sums]) if sums else tf.zeros_like(weight))
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
        total = tf.math.unsorted_segment_sum(widen(delta)[:, :-1, start:stop], ids, symbols)
        sums.append(tf.cast(total, delta.dtype))
    return sums
