"""One loop over time for every recurrent cell, on the TensorFlow backend, with a gradient of its own.

Backpropagation through a loop multiplies by the transposed weights and by the weights' inputs at every step. Here the
loop backward finds only the gradients δ of the pre-activations, one small product a step; each weight's gradient is
then a single large product over all steps. The forward loop keeps not the gates but the local slopes that the loop
backward needs, each of them computed once, while the gates are still in the processor's cache. XLA compiles both.
"""

import functools
import os

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops as xla
from tensorflow.python.eager import record

from shakegen.layers.equations import halved
from shakegen.layers.lookup import ids_of_one_hot

LEAST_ROWS = 16  # sequences that are worth a core of their own: with fewer, a product waits for its weights
USUAL_BATCH = 64  # what a batch of unknown size is taken for


def run(cell, kernels, biases, weights, sequences, states, go_backwards=False):
    """The outputs of a recurrent layer, (N, T, H), and its final states, a list of tensors (N, H).

    Args:
        cell: one of `shakegen.layers.equations`.
        kernels, biases: for each of the cell's groups, a matrix (inputs, ·) and a vector (·,) or None.
        weights: tensors, as the cell names them.
        sequences: tensor (N, T, inputs).
        states: tensors (N, H), h first.
        go_backwards: whether the sequences are read from their ends.
    """
    sequences = tf.convert_to_tensor(sequences)
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
    states = tuple(map(tf.convert_to_tensor, states))  # those of stateful layers are variables
    parts = _parts(sequences.shape[0])
    if parts == 1:
        return compiled_loop(cell)(tuple(inputs), ids, states, tuple(weights))
    results = []
    for rows in _spans(_shape(sequences)[0], parts):
        part = inputs if ids is not None else [z[rows] for z in inputs]
        own = tuple(state[rows] for state in states)
        results.append(compiled_loop(cell)(tuple(part), None if ids is None else ids[rows], own, tuple(weights)))
    outputs, states = zip(*results)
    return tf.concat(outputs, 0), [tf.concat(parts, 0) for parts in zip(*states)]


def _parts(batch):
    """Into how many parts, run side by side, a batch of N sequences is cut; N is None where it is not known."""
    if tf.executing_eagerly() or tf.config.list_logical_devices("GPU"):
        return 1  # eagerly, one part would wait for the other
    return max(1, min(cores(), (USUAL_BATCH if batch is None else batch) // LEAST_ROWS))


def cores():
    """How many threads TensorFlow computes with."""
    asked = tf.config.threading.get_intra_op_parallelism_threads() or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    return asked or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


def _spans(batch, parts):
    return [slice(part * batch // parts, (part + 1) * batch // parts) for part in range(parts)]


def _plus(z, bias):
    return z if bias is None else z + bias


@functools.cache
def compiled_loop(cell):
    """The compiled loop of a cell: a function of (inputs, ids, states, weights) that returns (outputs, states).

    Args:
        cell: one of `shakegen.layers.equations`.

    The function's arguments, N sequences of T steps, H units:
        inputs: tuple of what enters the pre-activations of the cell's groups: tensors (N, T + 1, ·), their last step
            ignored; or, with ids, the tables (V, ·) to look them up in.
        ids: integers (N, T), or None.
        states: tuple of tensors (N, H), h first.
        weights: tuple of tensors, as the cell names them.

    It returns the outputs h, (N, T, H), and the list of final states.
    """

    @tf.function(jit_compile=True, autograph=False)
    def loop(inputs, ids, states, weights):
        @tf.custom_gradient
        def differentiable(inputs, states, weights):
            hs, memories, kept = _forward(cell, inputs, ids, states, weights)
            outputs = hs[:, 1:]
            hs, kept = tf.nest.map_structure(tf.stop_gradient, (hs, kept))

            def gradient(d_outputs, *d_states):
                deltas, d_states = _backward(cell, kept, d_outputs, d_states, weights)
                d_inputs = _input_gradients(inputs, ids, deltas)
                return [*d_inputs, *d_states, *cell.weight_gradients(hs, kept, deltas)]

            return (outputs, outputs[:, -1], *memories), gradient

        outputs, *states = differentiable(inputs, states, weights)
        return outputs, states

    return loop


def _forward(cell, inputs, ids, states, weights):
    """h at the T + 1 ends of the steps, (N, T + 1, H), the final memories, and what the cell keeps, (N, T, ·) each."""
    h, *memories = states
    batch, units = _shape(h)
    steps = _shape(inputs[0])[1] - 1 if ids is None else _shape(ids)[1]
    weights, read_inputs = cell.prepare(weights), _input_reader(cell, inputs, ids)

    def step(t, h, memories, hs, kept):
        h, memories, slopes = cell.forward(read_inputs(t), h, memories, weights)
        kept = {name: _write(kept[name], t, slopes[name]) for name in kept}
        return t + 1, h, tuple(memories), _write(hs, t + 1, [h]), kept

    hs = tf.concat([h[:, None], tf.zeros((batch, steps, units), h.dtype)], axis=1)
    kept = {name: tf.zeros((batch, steps, width), h.dtype) for name, width in cell.kept.items()}
    _, _, memories, hs, kept = tf.while_loop(lambda t, *_: t < steps, step, (0, h, tuple(memories), hs, kept))
    return hs, memories, kept


def _backward(cell, kept, d_outputs, d_states, weights):
    """The gradients of every level's pre-activations, (N, T + 1, ·) with zeros after step T, and of the states."""
    batch, steps, _ = _shape(d_outputs)
    weights = [tf.transpose(weight) if weight.shape.rank == 2 else weight for weight in weights]

    def step(t, dh, d_memories, deltas):
        dh = dh + cell.pull(_read(deltas[0], t + 1), weights) + _read(d_outputs, t)
        slopes = {name: _read(kept[name], t) for name in kept}
        dh, d_memories, delta = cell.backward(dh, d_memories, slopes, weights)
        deltas = tuple(_write(stack, t, blocks) for stack, blocks in zip(deltas, delta))
        return t - 1, dh, tuple(d_memories), deltas

    dh, *d_memories = d_states
    deltas = tuple(tf.zeros((batch, steps + 1, width), dh.dtype) for width in cell.deltas)
    start = (steps - 1, dh, tuple(d_memories), deltas)
    _, dh, d_memories, deltas = tf.while_loop(lambda t, *_: t >= 0, step, start)
    return deltas, [dh + cell.pull(deltas[0][:, 0], weights), *d_memories]


def _input_reader(cell, inputs, ids):
    if ids is None:
        return lambda t: [halved(_read(z, t), names) for z, names in zip(inputs, cell.groups)]
    tables, ids = [halved(table, names) for table, names in zip(inputs, cell.groups)], ids[:, :, None]
    return lambda t: [tf.gather(table, _read(ids, t)[:, 0]) for table in tables]


def _input_gradients(inputs, ids, deltas):
    if ids is None:
        return [delta[..., : z.shape[-1]] for z, delta in zip(inputs, deltas)]
    symbols = _shape(inputs[0])[0]
    deltas = [delta[:, :-1, : table.shape[-1]] for table, delta in zip(inputs, deltas)]
    return [_sums(delta, ids, symbols) for delta in deltas]


def _sums(delta, ids, symbols):
    """What is to be added to each symbol's row; in 32 bits at least, for there may be thousands of terms."""
    wide = delta if delta.dtype == tf.float64 else tf.cast(delta, tf.float32)
    return tf.cast(tf.math.unsorted_segment_sum(wide, ids, symbols), delta.dtype)


def _read(stack, t):
    batch, _, width = _shape(stack)
    return tf.reshape(xla.xla_dynamic_slice(stack, [0, t, 0], [batch, 1, width]), (batch, width))


def _write(stack, t, blocks):
    column = 0
    for block in blocks:
        stack = xla.xla_dynamic_update_slice(stack, block[:, None], [0, t, column])
        column += block.shape[-1]
    return stack


def _shape(tensor):
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(tensor.shape)]
