"""Keras layers made from equations: Keras's own layers where there are such, on every backend."""

import keras
import numpy as np
import odd_cells
import pytest
from recurrent import INPUTS, H, N, T, assert_equal, call, random_states, random_weights
from steps import NEWER

from shakegen import cells, layers
from shakegen.cells import as_layer
from shakegen.cells.registry import CELLS
from shakegen.layers.cell_layer import layer_of
from shakegen.layers.initializers import initializer_of

PUBLIC = [
    (cells.RNN, {}),
    (cells.RNN, {"activation": "relu"}),
    (cells.LSTM, {}),
    (cells.GRU, {}),
    (cells.GRU, {"reset_after": False}),
    (cells.NLSTM, {"depth": 3}),
]
# Elsewhere Keras's tanh gives float32, which its SimpleRNN then refuses beside states of float64.
DTYPE = "float64" if keras.backend.backend() == "tensorflow" else "float32"
EVERYTHING = {"return_sequences": True, "return_state": True, "dtype": DTYPE}


@pytest.mark.parametrize(("kind", "options"), PUBLIC, ids=str)
def test_a_layer_made_from_equations_is_the_public_one(kind, options, rng):
    public = layer_of(kind)
    assert public.__module__.startswith("shakegen.layers")
    theirs = random_weights(public(H, **options, **EVERYTHING), rng)
    ours = as_layer(kind)(H, **options, **EVERYTHING)
    ours.build((N, None, INPUTS))
    ours.set_weights(theirs.get_weights())
    theirs.compiled_loop = ours.compiled_loop = False
    x, states = rng.normal(size=(N, T, INPUTS)), [np.abs(state) for state in random_states(ours, rng)]
    assert_equal(call(ours, x, states), call(theirs, x, states))


@pytest.mark.parametrize("kind", [*odd_cells.ODD, *NEWER], ids=lambda kind: kind.name)
def test_the_compiled_loop_and_keras_s_give_the_same(kind, rng, request):
    layer = random_weights(as_layer(kind)(H, **EVERYTHING), rng)
    x, states = rng.normal(size=(N, T, INPUTS)), [np.abs(state) for state in random_states(layer, rng)]
    on_tensorflow = keras.backend.backend() == "tensorflow"
    loops = request.getfixturevalue("compiled_runs") if on_tensorflow else []
    compiled = call(layer, x, states, training=True)
    assert len(loops) == on_tensorflow
    layer.compiled_loop = False
    assert_equal(compiled, call(layer, x, states, training=True))
    assert len(loops) == on_tensorflow


def test_a_layer_is_saved_and_loaded_with_its_options(tmp_path, rng, monkeypatch):
    monkeypatch.setitem(CELLS, odd_cells.Gallery.name, odd_cells.Gallery)
    layer = as_layer(odd_cells.Gallery)(H, rank=3, learn_initial_state=True, return_sequences=True)
    model = keras.Sequential([keras.Input((None, INPUTS)), layer])
    model.save(tmp_path / "model.keras")
    x = rng.normal(size=(N, T, INPUTS)).astype("float32")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].cell.record.rank == 3
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_the_same_seed_gives_the_same_weights():
    first, again, other = (as_layer(odd_cells.Gallery)(H, seed=seed) for seed in (1, 1, 2))
    for layer in first, again, other:
        layer.build((N, None, INPUTS))
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first.get_weights(), other.get_weights(), strict=True))


def test_options_are_checked():
    with pytest.raises(ValueError) as error:
        as_layer(odd_cells.Gallery)(H, rank=0)
    assert str(error.value) == f"rank is 0: expected a whole number from 1 to {1 << 16}"


def test_layers_of_cells_train_in_any_app(rng):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((T, INPUTS)), as_layer(odd_cells.MinimalGRU)(8), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse", jit_compile=False)
    x = rng.normal(size=(64, T, INPUTS)).astype("float32")
    y = x[:, 0, :1]
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=60, verbose=0)
    assert model.evaluate(x, y, verbose=0) < 0.5 * before
    assert layers.LSTM is layer_of(cells.LSTM)


class Leaky(cells.GRU):
    """Other equations than its parent's, whose layer does not serve it."""

    name = "test-leaky"

    def step(self, x, s, w):
        shown = super().step(x, s, w)
        return {**shown, "h": 0.5 * s.h + 0.5 * shown["h"]}


del CELLS["test-leaky"]


class Rectified(cells.LSTM):
    """Its parent's equations with another activation, which its layer does not know of."""

    name = "test-rectified"
    activation: str = "relu"


class Kept(cells.LSTM):
    """Its parent's equations, and zoneout of one state."""

    name = "test-kept"
    zoned = ("c",)


for kind in Rectified, Kept:
    del CELLS[kind.name]


@pytest.mark.parametrize("kind", [Leaky, Rectified, Kept])
def test_the_layer_of_a_parent_serves_no_other_equations(kind):
    assert layer_of(kind) is as_layer(kind)
    assert layer_of(kind)(H).cell.record == kind(H)


def test_numbers_of_numpy_are_options_too():
    assert layers.MogrifierLSTM(H, rounds=np.int64(3)).get_config()["rounds"] == 3
    assert layers.LSTM(H, zoneout=np.float32(0.5)).get_config()["zoneout"] == 0.5


class Constant(keras.initializers.Initializer):
    """One that has no config, and so cannot be cloned."""

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        return keras.ops.full(shape, self.value, dtype)


@pytest.mark.parametrize("layer", [layers.NLSTM, layers.UGRNN])
def test_an_initializer_of_one_s_own_is_used_as_it_is(layer):
    made = layer(H, kernel_initializer=Constant(2.5))
    made.build((N, T, INPUTS))
    kernels = [weight for weight in made.weights if weight.name.startswith("kernel")]
    assert kernels
    assert all((keras.ops.convert_to_numpy(weight) == 2.5).all() for weight in kernels)


class Starts(cells.Cell):
    """Initializers of every kind."""

    name, gates = "test-starts", ("a", "b")

    def weights(self, inputs):
        plain = super().weights(inputs)
        blocks = ("glorot_uniform", "zeros", "glorot_uniform")
        return {
            **plain,
            "kernel_scale": cells.Weight((self.units,), "ones"),
            "recurrent_bias": cells.Weight((self.units,), "zeros"),
            "kernel_blocks": cells.Weight((inputs, 3 * self.units), blocks),
        }

    def step(self, x, s, w):
        a, b = cells.split(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, 2)
        return {"h": cells.tanh(a * w.kernel_scale + w.recurrent_bias) * b + cells.split(x @ w.kernel_blocks, 3)[2]}


del CELLS["test-starts"]


def test_weights_start_as_the_cell_says():
    layers_of_seeds = [as_layer(Starts)(H, seed=seed, kernel_initializer="zeros") for seed in (7, 7, 8)]
    for layer in layers_of_seeds:
        layer.build((N, None, INPUTS))
    values = [{weight.name: weight.numpy() for weight in layer.weights} for layer in layers_of_seeds]
    for name, own in values[0].items():
        np.testing.assert_array_equal(own, values[1][name])
    assert (values[0]["kernel"] == 0).all()
    assert (values[0]["kernel_scale"] == 1).all()
    assert (values[0]["recurrent_bias"] == 0).all()
    first, middle, last = np.split(values[0]["kernel_blocks"], 3, axis=1)
    assert (middle == 0).all()
    assert (first != last).any()
    assert (values[0]["recurrent_kernel"] != values[2]["recurrent_kernel"]).any()


@pytest.mark.parametrize("units", [0, -1, True, 2.5])
def test_units_are_checked(units):
    with pytest.raises(ValueError) as error:
        as_layer(odd_cells.MinimalGRU)(units)
    assert str(error.value) == f"`units` must be an integer of at least 1. Received: {units!r}"


def test_a_cell_without_a_name_of_its_own_has_no_layer():
    class Faded(odd_cells.MinimalGRU):
        def step(self, x, s, w):
            shown = super().step(x, s, w)
            return {**shown, "h": 0.5 * shown["h"]}

    parent = as_layer(odd_cells.MinimalGRU)
    with pytest.raises(ValueError, match="Faded has no `name` of its own: expected one, for files name layers by it"):
        as_layer(Faded)
    assert type(keras.layers.Bidirectional(parent(4)).forward_layer) is parent


@pytest.mark.parametrize("start", [("ones", "zeros"), lambda random, shape: random.uniform()])
def test_an_initializer_gives_the_shape_that_the_weight_has(start):
    with pytest.raises(cells.CellError):
        initializer_of(cells.Weight((15,), start), 0)((15,), dtype="float32")


@pytest.mark.parametrize("layer", [layers.SLSTM(H), layers.NLSTM(H, zoneout=0.1), layers.LSTM(H, layer_norm=True)])
@pytest.mark.parametrize("training", [False, True])
def test_the_number_of_states_is_named(layer, training, rng):
    x = rng.normal(size=(2, 3, 5)).astype("float32")
    with pytest.raises(ValueError, match=r"states \(h, c.*Received: 1 states"):
        layer(x, initial_state=[np.zeros((2, H), "float32")], training=training)
