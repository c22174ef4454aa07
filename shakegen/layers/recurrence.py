"""One loop over time for every recurrent cell, on the TensorFlow backend, with a gradient of its own.

Backpropagation through a loop multiplies by the transposed weights and by the weights' inputs at every step. Here the
loop backward finds only the gradients δ of the pre-activations, one small product a step; each weight's gradient is
then a single large product over all steps. XLA compiles both loops. A batch is shared among the processor's cores: a
loop for each, side by side, that read the same weights, so that these stay in the cache that the cores have in common.
"""

import functools
import os

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops as xla
from tensorflow.python.eager import record

from shakegen.layers.equations import halved
from shakegen.layers.lookup import ids_of_one_hot

LEAST_ROWS = 16  # sequences that are worth a core of their own
USUAL_BATCH = 64  # what a batch of unknown size is taken for
ALL = slice(None)


def run(cell, kernels, biases, weights, sequences, states, go_backwards=False, keep=True):
    """The outputs of a recurrent layer, (N, T, H), and its final states, a list of tensors (N, H).

    Args:
        cell: one of `shakegen.layers.equations`.
        kernels, biases: for each of the cell's groups, a matrix (inputs, ·) and a vector (·,) or None.
        weights: tensors, as the cell names them.
        sequences: tensor (N, T, inputs).
        states: tensors (N, H), h first.
        go_backwards: whether the sequences are read from their ends.
        keep: whether to keep what gradients need; without, whoever asks for them waits for a second pass.
    """
    sequences = tf.convert_to_tensor(sequences)
    kernels = [halved(kernel, names) for kernel, names in zip(kernels, cell.groups)]
    biases = [None if bias is None else halved(bias, names) for bias, names in zip(biases, cell.groups)]
    ids = None if record.should_record_backprop([sequences]) else ids_of_one_hot(sequences)
    if ids is None:
        x = tf.reverse(sequences, [1]) if go_backwards else sequences
        x = tf.pad(x, ((0, 0), (0, 1), (0, 0)))
        inputs = [_plus(tf.matmul(x, kernel), bias) for kernel, bias in zip(kernels, biases)]
    else:
        none, ids = sequences.shape[-1], tf.cast(ids, tf.int64)  # no small integer holds every size
        ids = tf.cast(tf.where((ids >= 0) & (ids < none), ids, none), tf.int32)
        ids = tf.reverse(ids, [1]) if go_backwards else ids
        inputs = [_plus(tf.pad(kernel, ((0, 1), (0, 0))), bias) for kernel, bias in zip(kernels, biases)]
    states = [tf.convert_to_tensor(state) for state in states]  # those of stateful layers are variables
    return recurrence(cell, inputs, ids, states, cell.prepare(weights), _parts(sequences.shape[0]), keep)


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


def _plus(z, bias):
    return z if bias is None else z + bias


def recurrence(cell, inputs, ids, states, weights, parts=1, keep=True):
    """The outputs h, (N, T, H), and the list of final states, (N, H) each; differentiable once.

    Args, of N sequences of T steps, H units:
        cell: one of `shakegen.layers.equations`.
        inputs: what enters the halved pre-activations of the cell's groups: tensors (N, T + 1, ·), their last step
            ignored; or, with ids, the tables (V, ·) to look them up in.
        ids: integers (N, T), or None.
        states: tensors (N, H), h first.
        weights: tensors, as the cell's `prepare` gives them.
        parts: into how many parts the batch is cut, for as many loops side by side.
        keep: as `run` has it.
    """
    batch = _shape(states[0])[0]
    spans = [slice(part * batch // parts, (part + 1) * batch // parts) for part in range(parts)] if parts > 1 else [ALL]

    def rows(tensors, span):
        return [tensor if span is ALL else tensor[span] for tensor in tensors]

    @tf.custom_gradient
    def differentiable(inputs, states, weights):
        own_ids = [None if ids is None else rows([ids], span)[0] for span in spans]
        own_inputs = [rows(inputs, span) if ids is None else inputs for span in spans]

        def passed(keep):
            parts = zip(own_inputs, own_ids, spans)
            return [forward(cell, keep)(z, own, rows(states, span), weights) for z, own, span in parts]

        with record.stop_recording():
            found = passed(keep)

        def gradient(*d_returned):
            transposed = [tf.transpose(weight) if weight.shape.rank == 2 else weight for weight in weights]
            gradients, whole = [], found if keep else passed(True)
            for part, span in enumerate(spans):
                _, stacks, kept = whole[part]
                d_states, deltas = backward(cell)(stacks, kept, rows(d_returned, span), transposed)
                d_inputs = _input_gradients(cell, own_inputs[part], own_ids[part], deltas)
                gradients.append((d_inputs, d_states, cell.weight_gradients(stacks, kept, deltas)))
            d_inputs, d_states, d_weights = zip(*gradients)
            d_inputs = _joined(d_inputs) if ids is None else _added(d_inputs)
            return [*d_inputs, *_joined(d_states), *_added(d_weights)]

        return tuple(_joined([returned for returned, _, _ in found])), gradient

    outputs, *states = differentiable(tuple(inputs), tuple(states), tuple(weights))
    return outputs, states


def _joined(parts):
    return [tensors[0] if len(tensors) == 1 else tf.concat(tensors, 0) for tensors in zip(*parts)]


def _added(parts):
    return [tensors[0] if len(tensors) == 1 else tf.add_n(tensors) for tensors in zip(*parts)]


@functools.cache
def forward(cell, keep):
    """The compiled loop forward of a cell, for a part of a batch: a function of what `recurrence` takes.

    It returns the outputs (N, T, H) and the final states, in one list; the states at the T + 1 ends of the steps,
    stacks (N, T + 1, H); and what the cell keeps, by name, stacks (N, T + 1, ·) with zeros after step T. Without
    `keep`, the two latter are of no use.
    """

    @tf.function(jit_compile=True, autograph=False)
    def loop(inputs, ids, states, weights):
        batch, units = _shape(states[0])
        steps = _shape(inputs[0])[1] - 1 if ids is None else _shape(ids)[1]
        read_inputs = _input_reader(inputs, ids)

        def step(t, states, stacks, kept):
            states, found = cell.forward(read_inputs(t), states, weights)
            stacks = [_write(stack, t + 1, state) for stack, state in zip(stacks, states)]
            return t + 1, states, stacks, {name: _write(kept[name], t, found[name]) for name in kept}

        room = tf.zeros((batch, steps, units), states[0].dtype)
        stacks = [tf.concat([state[:, None], room], axis=1) for state in (states if keep else states[:1])]
        widths = cell.kept if keep else {}
        kept = {name: tf.zeros((batch, steps + 1, width), room.dtype) for name, width in widths.items()}
        _, states, stacks, kept = tf.while_loop(lambda t, *_: t < steps, step, (0, list(states), stacks, kept))
        return [stacks[0][:, 1:], *states], stacks, kept

    return loop


@functools.cache
def backward(cell):
    """The compiled loop backward of a cell, for a part of a batch.

    It is a function of the stacks and of what is kept, as `forward` returns them, of the gradients of the outputs and
    of the final states, in one list, and of the weights, transposed. It returns the gradients of the states, and δ, the
    gradients of every level's pre-activations, stacks (N, T + 1, ·) with zeros after step T.
    """

    @tf.function(jit_compile=True, autograph=False)
    def loop(stacks, kept, d_returned, weights):
        d_outputs, *d_states = d_returned
        batch, steps, _ = _shape(d_outputs)

        def step(t, d_states, deltas):
            dh = d_states[0] + tf.matmul(_read(deltas[0], t + 1), weights[0]) + _read(d_outputs, t)
            before, after = ([_read(stack, time) for stack in stacks] for time in (t, t + 1))
            own = {name: _read_blocks(kept[name], t, cell.units) for name in kept}
            deltas = list(deltas)

            def store(level, blocks):
                deltas[level] = _write(deltas[level], t, blocks)
                return lambda: _read(deltas[level], t)

            d_states = cell.backward([dh, *d_states[1:]], before, after, own, weights, store)
            return t - 1, d_states, deltas

        deltas = [tf.zeros((batch, steps + 1, width), d_outputs.dtype) for width in cell.deltas]
        _, (dh, *d_memories), deltas = tf.while_loop(lambda t, *_: t >= 0, step, (steps - 1, d_states, deltas))
        return [dh + tf.matmul(deltas[0][:, 0], weights[0]), *d_memories], deltas

    return loop


def _input_reader(inputs, ids):
    if ids is None:
        return lambda t: [_read(z, t) for z in inputs]
    return lambda t: [tf.gather(table, _read(ids[:, :, None], t)[:, 0]) for table in inputs]


def _input_gradients(cell, inputs, ids, deltas):
    widths = [len(names) * cell.units for names in cell.groups]
    if ids is None:
        return [delta[..., :width] for delta, width in zip(deltas, widths)]
    return sums_by_id(deltas[: len(widths)], ids, inputs[0].shape[0], tuple(widths))


@tf.function(jit_compile=True, autograph=False)
def sums_by_id(deltas, ids, symbols, widths):
    """What is to be added to each symbol's row; in 32 bits at least, for there may be thousands of terms."""
    sums = []
    for delta, width in zip(deltas, widths):
        wide = delta if delta.dtype == tf.float64 else tf.cast(delta, tf.float32)
        sums.append(tf.cast(tf.math.unsorted_segment_sum(wide[:, :-1, :width], ids, symbols), delta.dtype))
    return sums


def _read(stack, t):
    (block,) = _read_blocks(stack, t, stack.shape[-1])
    return block


def _read_blocks(stack, t, width):
    """A step of a stack, as blocks of so many columns: each read by itself, for XLA vectorizes no part of a read."""
    batch = _shape(stack)[0]
    starts = range(0, stack.shape[-1], width)
    blocks = [xla.xla_dynamic_slice(stack, [0, t, start], [batch, 1, width]) for start in starts]
    return [tf.reshape(block, (batch, width)) for block in blocks]


def _write(stack, t, blocks):
    column = 0
    for block in blocks if isinstance(blocks, list) else [blocks]:
        stack = xla.xla_dynamic_update_slice(stack, block[:, None], [0, t, column])
        column += block.shape[-1]
    return stack


def _shape(tensor):
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(tensor.shape)]
