"""The compiled loop's laws: its gradients, sequences cut in parts, shapes not known beforehand, memory."""

import numpy as np
import odd_cells
import pytest
import tensorflow as tf
from compiled_layers import COMPILED, LAYER, LAYERS, H
from steps import NEWER

from shakegen import cells
from shakegen.cells.plan import plan
from shakegen.cells.program import evaluate
from shakegen.cells.registry import find_cell
from shakegen.layers import SLSTM, loops, recurrence
from shakegen.layers.tensorflow_operations import TENSORFLOW

N, T, V = 2, 4, 5
CELLS = {
    "rnn": cells.RNN(H),
    "relu rnn": cells.RNN(H, "relu"),
    "lstm": cells.LSTM(H),
    "lstm, layer norm": cells.LSTM(H, layer_norm=True),
    "gru": cells.GRU(H),
    "gru, reset before": cells.GRU(H, reset_after=False),
    "gru, layer norm": cells.GRU(H, layer_norm=True),
    "gru, reset before, layer norm": cells.GRU(H, reset_after=False, layer_norm=True),
    "nlstm, depth 2": cells.NLSTM(H),
    "nlstm, depth 3": cells.NLSTM(H, depth=3),
    **{kind.name: kind(H) for kind in NEWER},
    "mogrifier, rank 2": cells.Mogrifier(H, rounds=3, rank=2),
    "slstm, exp": cells.SLSTM(H, forget="exp"),
    "lstm, zoneout": cells.LSTM(H, zoneout=0.3),
    "slstm, zoneout": cells.SLSTM(H, zoneout=0.3),
    "gru, reset before, zoneout": cells.GRU(H, reset_after=False, zoneout=0.3),
    **{kind.name: kind(H) for kind in odd_cells.ODD},
}
CELL = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


@pytest.fixture
def draw(rng):
    return lambda *shape: tf.constant(rng.normal(0, 0.5, shape))


def arguments_of(cell, draw, *rows, by_id=False, drop_h=False):
    steps = plan(cell, V, by_id, drop_h)
    inputs = tuple(draw(*rows, group.shape[-1]) for group in steps.groups)
    states = tuple(tf.abs(draw(N, H)) for _ in steps.states)  # an sLSTM divides by one of them
    values = {symbol: draw(*symbol.shape) for symbol in steps.graph.weights.values()}
    return inputs, states, tuple(evaluate(steps.prepared, values, TENSORFLOW))


def draw_masks(key, steps):
    drawn = np.random.default_rng(3).random((N, steps, H * len(plan(*key).graph.masks)))
    return tf.constant(np.where(drawn > 0.4, 1.7 if key[3] else 1.0, 0.0))


def loop(cell, *arguments, by_id=False, drop_h=False, **options):
    key = recurrence.loop_key(cell, V, by_id, drop_h)
    if (drop_h or cell.zoneout) and "masks" not in options:
        steps = arguments[0][0].shape[1] - 1 if arguments[1] is None else arguments[1].shape[1]
        options["masks"] = draw_masks(key, steps)
    return recurrence.recurrence(key, *arguments, **options)


DROPPED = ("lstm", "gru, reset before", "nlstm, depth 2", "slstm, zoneout")
LOOKED_UP = ("rnn", "lstm", "gru, reset before", "nlstm, depth 2", "mogrifier", "mingru", "test-gallery", "test-sized")


@pytest.mark.parametrize(
    ("cell", "looked_up", "drop_h"),
    [
        *((cell, False, False) for cell in CELLS.values()),
        *((CELLS[name], True, False) for name in LOOKED_UP),
        *((CELLS[name], False, True) for name in DROPPED),
    ],
    ids=str,
)
def test_gradients_are_the_finite_differences(cell, looked_up, drop_h, draw, rng):
    how = {"by_id": looked_up, "drop_h": drop_h}
    inputs, states, weights = arguments_of(cell, draw, *((V,) if looked_up else (N, T + 1)), **how)
    ids = tf.constant(rng.integers(V, size=(N, T)), tf.int32) if looked_up else None
    arrays = [inputs, states, weights]
    direction = tf.nest.map_structure(lambda array: draw(*array.shape), arrays)
    coefficients = draw(N, T, H), [draw(N, H) for _ in states]

    def f(arrays):
        outputs, finals = loop(cell, arrays[0], ids, *arrays[1:], **how)
        returned = zip([outputs, *finals], [coefficients[0], *coefficients[1]])
        return tf.add_n([tf.reduce_sum(r * c) for r, c in returned])

    with tf.GradientTape() as tape:
        tape.watch(arrays)
        value = f(arrays)
    gradients = tape.gradient(value, arrays)
    flat = zip(tf.nest.flatten(gradients), tf.nest.flatten(direction))
    slope = tf.add_n([tf.reduce_sum(gradient * along) for gradient, along in flat])

    def moved(step):
        return f(tf.nest.map_structure(lambda array, along: array + step * along, arrays, direction))

    np.testing.assert_allclose(slope, (moved(1e-5) - moved(-1e-5)) / 2e-5, rtol=1e-7, atol=1e-7)


# One of each class, with and without zoneout: the others have the same states, or fewer.
CUT = {(type(cell), cell.zoneout > 0): cell for cell in CELLS.values()}


@pytest.mark.parametrize("cell", CUT.values(), ids=str)
def test_a_sequence_cut_in_three_with_carried_state_equals_the_whole(cell, draw, rng):
    tables, states, weights = arguments_of(cell, draw, V)
    ids = tf.constant(rng.integers(V, size=(N, 3 * T)), tf.int32)
    masks = draw_masks(recurrence.loop_key(cell, V), 3 * T) if cell.zoneout else None
    whole, finals = loop(cell, tables, ids, states, weights, masks=masks)
    parts = []
    for number, part in enumerate(tf.split(ids, 3, axis=1)):
        own = None if masks is None else masks[:, number * T : (number + 1) * T]
        outputs, states = loop(cell, tables, part, states, weights, masks=own)
        parts.append(outputs)
    np.testing.assert_allclose(tf.concat(parts, axis=1), whole, rtol=0, atol=1e-14)
    for state, final in zip(states, finals):
        np.testing.assert_allclose(state, final, rtol=0, atol=1e-14)


@LAYER
@COMPILED
def test_batch_and_time_need_not_be_known_beforehand(layer, rng):
    recurrent = layer(dtype="float64", return_sequences=True, return_state=True)
    recurrent.build((None, None, V))
    weights = [weight.value for weight in recurrent.weights]

    def answers(x, training=True):
        with tf.GradientTape() as tape:
            tape.watch(x)
            returned = recurrent(x, training=training)
            loss = tf.add_n([tf.reduce_sum(tf.sin(one)) for one in returned])
        return returned, tape.gradient(loss, [x, *weights])

    in_graph = tf.function(answers, input_signature=[tf.TensorSpec((None, None, V), "float64")])
    for batch, steps in (1, 1), (9, 65):
        x = tf.constant(rng.normal(size=(batch, steps, V)))
        expected = tf.nest.flatten(answers(x, training=False))  # in Keras's loop
        for found in in_graph(x), answers(x):
            for a, b in zip(tf.nest.flatten(found), expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("in_graph", [False, True])
def test_few_sizes_are_compiled_and_one_length(in_graph, rng):
    cell = cells.RNN(H + 20 + in_graph)  # none of its loops is compiled yet
    key = recurrence.loop_key(cell, V)
    weights = {name: tf.constant(rng.normal(size=weight.shape)) for name, weight in cell.weights(V).items()}

    def outputs(x):
        return recurrence.run(cell, weights, x, [tf.zeros((1, cell.units), "float64")])

    run = tf.function(outputs, input_signature=[tf.TensorSpec((None, None, V), "float64")]) if in_graph else outputs
    sizes = [(batch, steps) for batch in (3, 7, 8) for steps in (1, 32, 47, 70)]
    for batch, steps in sizes:
        last, result, (state,) = run(tf.ones((batch, steps, V), "float64"))
        assert result.shape == (batch, steps, cell.units)
        np.testing.assert_array_equal(result[:, -1], state)
        np.testing.assert_array_equal(last, state)
    assert loops.forward(key, tf.float64).experimental_get_tracing_count() == 1


@CELL
def test_equal_cells_share_their_compiled_loops(cell):
    copy = type(cell)(**vars(cell))
    for key in (copy, 7), (copy, 8):
        assert loops.forward(key, tf.float32) is loops.forward((cell, key[1]), tf.float32)
        assert loops.backward(key) is loops.backward((cell, key[1]))


def test_a_loop_is_compiled_once_for_all_sizes_of_inputs():
    keys = {recurrence.loop_key(cell, size) for cell in (cells.LSTM(H), cells.GRU(H)) for size in (5, 9)}
    assert len(keys) == 2


@LAYER
@COMPILED
def test_gradients_are_the_same_in_a_graph_and_out_of_it(layer, rng):
    recurrent, x = layer(dtype="float64"), tf.constant(rng.normal(size=(N, T, V)))
    recurrent.build((N, T, V))

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(recurrent(x, training=True)))
        return tape.gradient(loss, [weight.value for weight in recurrent.weights])

    in_graph = tf.function(gradients)()
    for a, b in zip(in_graph, gradients()):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-14)


@LAYER
@COMPILED
def test_an_initial_state_of_one_row_serves_the_whole_batch(layer):
    one = layer(dtype="float64")
    one.build((N, T, V))
    x = tf.ones((N, T, V), "float64")
    small = [tf.ones((1, H), "float64") for _ in one.state_size]
    full = [tf.ones((N, H), "float64") for _ in one.state_size]
    np.testing.assert_allclose(one(x, initial_state=small, training=True), one(x, initial_state=full), atol=1e-10)


def test_a_start_at_the_kink_of_a_maximum_is_learned_as_in_keras(rng):
    """The normaliser of an sLSTM begins at 0, where its gradient depends on how a tie is broken."""
    layer = SLSTM(H, learn_initial_state=True, dtype="float64")
    layer.build((N, T, V))
    x, found = tf.constant(rng.normal(size=(N, T, V))), []
    for layer.compiled_loop in True, False:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(layer(x, training=True)))
        found.append(tape.gradient(loss, layer.trainable_variables))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(ours), tf.convert_to_tensor(theirs), atol=1e-12)
    names = [weight.name for weight in layer.trainable_variables]
    assert np.abs(found[0][names.index("initial_state_2")]).max() > 0


def test_only_wide_products_are_not_cut(monkeypatch):
    monkeypatch.setattr(recurrence, "cores", lambda: 2)
    wide, no_products = plan(find_cell("lstm")(512), 512), plan(find_cell("minlstm")(512), 512)
    assert [recurrence.count_parts(rows, wide) for rows in (8, 32, 63, 64, None)] == [1, 2, 2, 1, 1]
    assert recurrence.count_parts(1 << 10, no_products) == 2


WAYS = [(50, True, 3), (None, False, 3), (50, True, 1)]  # rows, whether one-hot, and loops


@COMPILED
@pytest.mark.parametrize(
    ("layer", "batch", "one_hot", "loops"),
    [(layer, *way) for name, layer in LAYERS.items() for way in (WAYS if name == "lstm" else WAYS[:1])],
)
def test_a_batch_shared_among_cores_gives_what_one_core_finds(layer, batch, one_hot, loops, rng, monkeypatch):
    """Cores share the rows of a batch, in loops of their own, or each product of one loop."""
    monkeypatch.setattr(recurrence, "cores", lambda: 3)
    monkeypatch.setattr(recurrence, "SHARED", 1 if loops == 1 else recurrence.SHARED)
    recurrent = layer(return_sequences=True, return_state=True, go_backwards=True, dtype="float64")
    x = (
        tf.one_hot(rng.integers(V, size=(50, T)), V, dtype="float64")
        if one_hot
        else tf.constant(rng.normal(size=(50, T, V)))
    )
    recurrent.build(x.shape)

    def outputs_and_gradients(x):
        with tf.GradientTape() as tape:
            tape.watch([] if one_hot else [x])
            outputs = recurrent(x, training=True)
            loss = tf.add_n([tf.reduce_sum(tf.sin(output)) for output in outputs])
        return outputs, tape.gradient(loss, recurrent.trainable_variables + ([] if one_hot else [x]))

    alone = outputs_and_gradients(x)  # eagerly, nothing is shared
    shared = tf.function(outputs_and_gradients, input_signature=[tf.TensorSpec((batch, T, V), "float64")])
    operations = shared.get_concrete_function().graph.get_operations()
    calls = sum(operation.type.endswith("PartitionedCall") for operation in operations)
    assert calls >= 2 * 3 if loops == 3 else 2 <= calls < 2 * 3  # forward, backward
    for found, expected in zip(tf.nest.flatten(shared(x)), tf.nest.flatten(alone), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)
