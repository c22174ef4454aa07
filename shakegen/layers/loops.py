"""The compiled loops of a plan over time, forward and backward, for a part of a batch.

They compute in the dtype of the states, and keep values of steps in that of the inputs, which may have fewer bits.
XLA vectorizes no part of a read that is used twice, so every block is read by itself, and written in its place.
"""

import functools

import tensorflow as tf

from shakegen.cells.gradient import blocks_of
from shakegen.cells.plan import Plan, plan
from shakegen.cells.program import evaluate, order_of
from shakegen.layers.private_doors import xla
from shakegen.layers.sizes import cut, join, shape_of
from shakegen.layers.tensorflow_operations import IN_LOOP, TENSORFLOW


@functools.cache
def forward(key):
    """The compiled loop forward, for a part of a batch: a function with the arguments of `recurrence`.

    It returns the outputs (N, T, H) and the final states, in one list; the states at the T + 1 ends of the steps,
    stacks (N, T + 1, H); and the kept values of the plan, stacks (N, T + 1, ·) with zeros after the last step. `count`
    is the number of steps that are run, a tensor; None: all. The outputs of the others are zeros.
    """
    steps = plan(*key)
    blocks = [blocks_of(symbol) for symbol in steps.kept]

    @tf.function(jit_compile=True, autograph=False)
    def loop(inputs, ids, states, weights, count, masks, present):
        (batch, units), dtype, stored = shape_of(states[0]), states[0].dtype, inputs[0].dtype
        read, write = _reader(stored, dtype), functools.partial(_write, stored=stored)
        room = shape_of(inputs[0])[1] - 1 if ids is None else shape_of(ids)[1]
        last, read_inputs = room if count is None else count, _input_reader(inputs, ids, read)

        def step(t, states, stacks, kept):
            values = dict(zip(steps.loop_weights, weights))
            values |= dict(zip(steps.states, states)) | dict(zip(steps.loop_groups, read_inputs(t)))
            values |= _read_masks(steps, masks, t, read)
            here = _reads_step(present, t)
            states = [_choose(here, *pair) for pair in zip(evaluate(steps.after, values, IN_LOOP), states)]
            stacks = [write(stack, t + 1, state) for stack, state in zip(stacks, states)]
            kept = [write(stack, t, evaluate(own, values, IN_LOOP)) for stack, own in zip(kept, blocks)]
            return t + 1, states, stacks, kept

        empty = tf.zeros((batch, room, units), stored)
        stacks = [tf.concat([tf.cast(state, stored)[:, None], empty], axis=1) for state in states]
        kept = [tf.zeros((batch, room + 1, symbol.shape[-1]), empty.dtype) for symbol in steps.kept]
        start = 0, list(states), [_bits(z) for z in stacks], [_bits(z) for z in kept]
        _, states, stacks, kept = tf.while_loop(lambda t, *_: t < last, step, start)
        stacks, kept = [_numbers(z, stored) for z in stacks], [_numbers(z, stored) for z in kept]
        return [stacks[0][:, 1:], *states], stacks, kept

    return loop


@functools.cache
def backward(key):
    """The compiled loop backward, for a part of a batch.

    It is a function of the stacks and the kept values, as `forward` returns them, of the gradients of the outputs and
    the final states, in one list, of the weights, transposed, of the number of steps, of the masks, and of the steps
    that are present. It returns the gradients of the states, and δ, the deltas of the plan, stacks (N, T + 1, ·) with
    zeros after the last step, and where a step is not present: nothing computed there counts, even if it is NaN.
    """
    steps = plan(*key)

    @tf.function(jit_compile=True, autograph=False)
    def loop(stacks, kept, d_returned, weights, count, masks, present):
        d_outputs, *d_states = d_returned
        (batch, room, _), stored = shape_of(d_outputs), d_outputs.dtype
        read, write = _reader(stored, d_states[0].dtype), functools.partial(_write, stored=stored)
        last = (room if count is None else count) - 1

        def step(t, d_states, deltas):
            dh = d_states[0] + read(d_outputs, t)
            if steps.recurrent:
                dh += tf.matmul(read(deltas[0], t + 1), weights[0])
            values = dict(zip(steps.loop_weights, weights))
            for number, (before, after) in enumerate(zip(steps.states, steps.after)):
                values[after] = read(stacks[number], t + 1)
                values[before] = read(stacks[number], t)
            values |= dict(zip(steps.d_after, [dh, *d_states[1:]])) | _read_masks(steps, masks, t, read)
            _read_kept(steps, kept, t, values, read)
            deltas, here, zero = list(deltas), _reads_step(present, t), tf.zeros_like(dh)
            for number in _order_of_deltas(steps):
                symbol = steps.deltas[number]
                blocks = evaluate(blocks_of(symbol), values, IN_LOOP)
                deltas[number] = write(deltas[number], t, [_choose(here, one, tf.zeros_like(one)) for one in blocks])
                if symbol.operation == "concat":  # read as one block where a product needs it
                    values[symbol] = read(deltas[number], t)
            d_before = [zero if d is None else evaluate([d], values, IN_LOOP)[0] for d in steps.d_states]
            return t - 1, [_choose(here, *pair) for pair in zip(d_before, [dh, *d_states[1:]])], deltas

        deltas = [tf.zeros((batch, room + 1, delta.shape[-1]), stored) for delta in steps.deltas]
        start = last, d_states, [_bits(delta) for delta in deltas]
        _, (dh, *d_memories), deltas = tf.while_loop(lambda t, *_: t >= 0, step, start)
        if steps.recurrent:
            dh += tf.matmul(read(deltas[0], 0), weights[0])
        return [dh, *d_memories], [_numbers(delta, stored) for delta in deltas]

    return loop


def differentiate(key, inputs, states, weights, ids, length, masks, present, d_returned, d_found=None):
    """The gradients by inputs, states and weights, in one list, in a graph, without the compiled loops.

    With `d_found`, the gradients of these gradients, by inputs, states, weights and `d_returned`. TensorFlow's own
    operations compute the steps one by one: they have gradients of any order, and can be mapped. No tensor given may be
    made of another one.
    """
    primals = [*inputs, *states, *weights]
    both = [*primals, *d_returned]
    gradients = functools.partial(tf.gradients, unconnected_gradients="zero", stop_gradients=both)
    returned = _step_by_step(plan(*key), inputs, ids, states, weights, length, masks, present)
    found = gradients(returned, primals, d_returned)
    found = [tf.convert_to_tensor(gradient) for gradient in found]  # tables' may be slices
    return found if d_found is None else gradients(found, both, d_found)


@functools.cache
def differentiate_eagerly(key):
    """`differentiate` where there is no graph."""
    return tf.function(functools.partial(differentiate, key), autograph=False)


def _step_by_step(steps: Plan, inputs, ids, states, weights, length, masks, present):
    """The outputs and the final states, in one list, as `recurrence` finds them."""
    stored, dtype = inputs[0].dtype, states[0].dtype
    inputs = [z[..., :-1, :] for z in inputs] if ids is None else [tf.gather(table, ids) for table in inputs]
    given = inputs if masks is None else [*inputs, *tf.split(masks, len(steps.graph.masks), axis=-1)]
    given = [tf.cast(z, dtype) for z in given]
    given = given if present is None else [*given, present[..., None]]
    given = given if length is None else [join(z, length) for z in given]
    known = dict(zip(steps.loop_weights, weights))

    def step(states, given):
        values = known | dict(zip(steps.states, states)) | dict(zip([*steps.loop_groups, *steps.graph.masks], given))
        after = evaluate(steps.after, values, TENSORFLOW)
        return after if present is None else [tf.where(given[-1], *pair) for pair in zip(after, states)]

    stacks = tf.scan(step, [tf.transpose(z, (1, 0, 2)) for z in given], list(states))
    outputs = tf.cast(tf.transpose(stacks[0], (1, 0, 2)), stored)
    return [outputs if length is None else cut(outputs), *(stack[-1] for stack in stacks)]


def _order_of_deltas(steps: Plan) -> list[int]:
    """The numbers of the gradients that are stored, each after the gradients that it is made from."""
    order = {symbol: place for place, symbol in enumerate(order_of(steps.deltas))}
    return sorted(range(len(steps.deltas)), key=lambda number: order[steps.deltas[number]])


def _read_kept(steps: Plan, kept, t, values, read) -> None:
    """Read the kept blocks that the way back needs, each block by itself, for XLA vectorizes no part of a read."""
    numbers = {symbol: number for number, symbol in enumerate(steps.kept)}
    wanted = [*steps.deltas, *(d for d in steps.d_states if d is not None)]
    for symbol in order_of(wanted, [*values, *steps.kept]):
        for one in symbol.inputs:
            if one in numbers and symbol.operation == "part":
                start = symbol.attributes["start"]
                values[symbol] = read(kept[numbers[one]], t, start, symbol.attributes["stop"] - start)
            elif one in numbers and one not in values:
                values[one] = read(kept[numbers[one]], t)


def _read_masks(steps: Plan, masks, t, read) -> dict:
    places = enumerate(steps.graph.masks)
    return {mask: read(masks, t, k * mask.shape[-1], mask.shape[-1]) for k, mask in places}


def _reads_step(present, t):
    """Which sequences have a step, (N, 1); None where all have."""
    return None if present is None else _read(present[:, :, None], t)


def _choose(here, value, otherwise):
    return value if here is None else tf.where(here, value, otherwise)


def _input_reader(inputs, ids, read):
    if ids is None:
        return lambda t: [read(z, t) for z in inputs]
    return lambda t: [tf.cast(tf.gather(table, _read(ids[:, :, None], t)[:, 0]), read.dtype) for table in inputs]


def _reader(stored, dtype):
    """`_read` for stacks of numbers of one dtype, or of their bits, that gives another dtype."""

    def read(stack, t, start=0, width=None):
        return tf.cast(_numbers(_read(_bits(stack), t, start, width), stored), dtype)

    read.dtype = dtype
    return read


def _read(stack, t, start=0, width=None):
    """Columns of a step of a stack; by default all of them."""
    batch, width = shape_of(stack)[0], width or stack.shape[-1]
    return tf.reshape(xla.xla_dynamic_slice(stack, [0, t, start], [batch, 1, width]), (batch, width))


def _write(stack, t, blocks, stored):
    """A stack of numbers, or of their bits, with blocks side by side as one of its steps."""
    column = 0
    for block in blocks if isinstance(blocks, list) else [blocks]:
        step = _bits(tf.cast(block[:, None], stored))
        stack = xla.xla_dynamic_update_slice(stack, step, [0, t, column])
        column += block.shape[-1]
    return stack


def _bits(stack):
    """Numbers of 16 bits as integers: to write some of them, XLA would convert the whole stack to 32 bits and back."""
    return tf.bitcast(stack, tf.uint16) if stack.dtype.is_floating and stack.dtype.size == 2 else stack


def _numbers(stack, dtype):
    """The numbers of `_bits`."""
    return tf.bitcast(stack, dtype) if stack.dtype == tf.uint16 else stack
