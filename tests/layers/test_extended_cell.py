"""Layer normalisation, zoneout and dropout: their laws in layers of every kind, on every backend."""

import keras
import numpy as np
import pytest
from recurrent import INPUTS, H, N, T, assert_equal, call, numpy, random_weights
from scipy import stats

from shakegen import cells, layers
from shakegen.cells import BUILT_IN, as_layer, find_cell
from shakegen.layers.cell_layer import layer_of

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
DTYPE = "float64" if ON_TENSORFLOW else "float32"
EVERYTHING = {"return_sequences": True, "return_state": True, "dtype": DTYPE}
OPTIONS = [
    *((name, {"zoneout": 0.3}) for name in BUILT_IN),
    *((name, {"layer_norm": True, "zoneout": 0.3, "recurrent_dropout": 0.3}) for name in ("lstm", "gru", "mogrifier")),
    *((name, {"recurrent_dropout": 0.4, "dropout": 0.2}) for name in ("ugrnn", "slstm", "mogrifier")),
    ("gru", {"reset_after": False, "zoneout": 0.2, "recurrent_dropout": 0.2, "dropout": 0.2, "go_backwards": True}),
]


def make(name, rng, units=H, **options):
    return random_weights(layer_of(find_cell(name))(units, seed=5, **EVERYTHING, **options), rng)


def again(layer):
    """Let a layer draw its masks anew."""
    layer.cell.seed_generator.state.assign([0, 7])
    return layer


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_both_loops_train_alike_with_the_same_masks(name, options, rng, request):
    layer, x = make(name, rng, **options), rng.normal(size=(N, T, INPUTS))
    loops = request.getfixturevalue("compiled_runs") if ON_TENSORFLOW else []
    compiled = call(again(layer), x, training=True)
    assert len(loops) == ON_TENSORFLOW
    layer.compiled_loop = False
    assert_equal(compiled, call(again(layer), x, training=True))
    assert len(loops) == ON_TENSORFLOW
    drawn, plain = numpy([compiled[0], call(layer, x)[0]])
    assert np.abs(drawn - plain).max() > 0.001  # outside of training nothing is drawn


@pytest.mark.parametrize("name", BUILT_IN)
def test_zoneout_keeps_its_share_of_states_and_elsewhere_gives_their_mean(name, rng):
    rate, streams, cell = 0.3, 4000, find_cell(name)(H)
    layer, plain = make(name, rng, zoneout=rate), make(name, rng)
    plain.set_weights(layer.get_weights())
    x = np.repeat(rng.normal(size=(1, 1, INPUTS)), streams, axis=0)
    before = np.abs(rng.normal(0, 0.5, (1, H)))
    starts = [np.repeat(before, streams, axis=0)] * len(layer.state_size)
    trained, mean, changed = (
        [keras.ops.convert_to_numpy(state) for state in call(one, x, starts, training=training)[1:]]
        for one, training in ((layer, True), (layer, False), (plain, False))
    )
    for number, state in enumerate(cell.state_names):
        acts = cell.zoned is None or state in cell.zoned
        stays = np.abs(trained[number] - before) < 1e-7
        assert stays.sum() == 0 or acts
        np.testing.assert_allclose(trained[number][~stays], changed[number][~stays], rtol=0, atol=1e-6)
        share = rate if acts else 0.0
        np.testing.assert_allclose(mean[number], share * before + (1 - share) * changed[number], rtol=0, atol=1e-6)
        if acts:
            assert stats.binomtest(int(stays.sum()), stays.size, rate).pvalue > 1e-4


@pytest.mark.parametrize("name", ["ugrnn", "gru"])
def test_recurrent_dropout_is_one_mask_a_sequence_on_the_way_into_products(name, rng):
    """With inputs and biases of zero and an identity for its weights, a step shows which units were dropped."""
    layer = make(name, rng, recurrent_dropout=0.5, zoneout=0.0 if name == "ugrnn" else 1e-9)
    h, x = np.ones((N, H)), np.zeros((N, 1, INPUTS))
    weights = {weight.name: np.zeros(weight.shape) for weight in layer.weights}
    gates = weights["recurrent_kernel"].shape[1] // H
    weights["recurrent_kernel"][:, (gates - 1) * H :] = np.eye(H)
    layer.set_weights(list(weights.values()))
    once = keras.ops.convert_to_numpy(call(again(layer), x, [h], training=True)[1])
    kept = 0.5 * h + 0.5 * np.tanh(2.0 * (0.5 if name == "gru" else 1.0))  # a gate of ½, a factor of 1 / (1 - ½)
    assert np.isclose(once, 0.5).any()
    assert (np.isclose(once, 0.5) | np.isclose(once, kept)).all()
    longer = keras.ops.convert_to_numpy(call(again(layer), np.zeros((N, T, INPUTS)), [h], training=True)[0])
    np.testing.assert_allclose(longer[:, -1] < 0.5**T + 1e-6, once < 0.5 + 1e-6)


@pytest.mark.parametrize(("name", "options"), [("mogrifier", {"rounds": 4}), ("gru", {"reset_after": False})], ids=str)
def test_recurrent_dropout_reaches_h_in_every_product(name, options, rng):
    """Where all of h is dropped on its way into products, its weights in them have no effect on the first step."""
    layer = make(name, rng, recurrent_dropout=0.999, zoneout=1e-9, **options)
    states = [rng.normal(0, 0.5, (N, H)) for _ in layer.state_size]
    x = rng.normal(size=(N, 1, INPUTS))
    before = call(again(layer), x, states, training=True)
    for weight in layer.weights:
        if weight.name in ("recurrent_kernel", "round_1", "round_3"):
            weight.assign(rng.normal(size=weight.shape))
    assert_equal(call(again(layer), x, states, training=True), before)


def test_layers_that_are_frozen_do_not_train(rng):
    model = keras.Sequential([keras.Input((T, INPUTS)), layers.UGRNN(H, trainable=False), keras.layers.Dense(1)])
    before = model.layers[0].get_weights()
    model.compile("sgd", "mse")
    model.fit(rng.normal(size=(N, T, INPUTS)), np.ones((N, 1)), verbose=0)
    for old, new in zip(before, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_layer_has_a_random_state_where_it_draws_and_one_only():
    for layer, count in (
        (layers.UGRNN(H), 0),
        (layers.UGRNN(H, zoneout=0.1), 1),
        (layers.LSTM(H, zoneout=0.1), 1),
    ):
        layer.build((N, None, INPUTS))
        assert sum("seed_generator" in variable.path for variable in layer.variables) == count


class Twos(keras.initializers.Initializer):
    """An initializer that Keras cannot load again."""

    def __call__(self, shape, dtype=None):
        return keras.ops.full(shape, 2.0, dtype)


def test_any_initializer_serves_an_extended_cell():
    layer = layers.LSTM(H, zoneout=0.1, kernel_initializer=Twos())
    layer.build((N, None, INPUTS))
    assert (keras.ops.convert_to_numpy(layer.weights[0]) == 2).all()


def test_one_initializer_draws_other_numbers_for_every_level():
    layer = as_layer(cells.NLSTM)(H, recurrent_initializer="orthogonal")
    layer.build((N, None, INPUTS))
    weights = {weight.name: keras.ops.convert_to_numpy(weight) for weight in layer.weights}
    assert (weights["recurrent_kernel"] != weights["recurrent_kernel_1"]).any()


def test_without_these_options_the_cells_are_keras_s():
    for name, cell in (("SimpleRNN", "SimpleRNNCell"), ("LSTM", "LSTMCell"), ("GRU", "GRUCell")):
        assert type(getattr(layers, name)(H).cell) is getattr(keras.layers, cell)


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.NLSTM, layers.SimpleRNN, layers.RGLRU])
def test_layers_are_saved_and_loaded_with_these_options(kind, tmp_path, rng):
    options = {"zoneout": 0.25, **({"layer_norm": True} if kind in (layers.LSTM, layers.GRU) else {})}
    model = keras.Sequential([keras.Input((T, INPUTS)), kind(H, **options)])
    model.save(tmp_path / "model.keras")
    loaded, x = keras.models.load_model(tmp_path / "model.keras"), rng.normal(size=(N, T, INPUTS)).astype("float32")
    assert loaded.layers[0].get_config().items() >= options.items()
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_arguments_of_weights_hold_for_a_cell_s_weights(rng):
    layer = layers.MogrifierLSTM(
        H,
        rounds=1,
        kernel_initializer="ones",
        recurrent_initializer="zeros",
        bias_initializer="ones",
        kernel_regularizer=keras.regularizers.L2(1.0),
        bias_regularizer=keras.regularizers.L1(1.0),
        recurrent_constraint="non_neg",
        kernel_constraint=keras.constraints.MaxNorm(1.0),
    )
    layer.build((N, None, INPUTS))
    weights = {weight.name: weight for weight in layer.weights}
    assert (keras.ops.convert_to_numpy(weights["kernel"]) == 1).all()
    assert (keras.ops.convert_to_numpy(weights["bias"]) == 1).all()
    assert {name for name, weight in weights.items() if weight.constraint} == {"kernel", "recurrent_kernel", "round_1"}
    drawn = keras.ops.convert_to_numpy(weights["round_1"])
    expected = sorted([INPUTS * 4 * H, 4 * H, (drawn**2).sum()])
    np.testing.assert_allclose(sorted(float(loss) for loss in layer.losses), expected, rtol=1e-5)
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.LSTM(3, zoneout=1), "zoneout is 1: expected a number from 0 to 0.99"),
        (lambda: layers.MinGRU(3, zoneout=-0.1), "zoneout is -0.1: expected a number from 0 to 0.99"),
        (lambda: layers.GRU(3, layer_norm=1), "layer_norm is 1: expected true or false"),
        (
            lambda: layers.LSTM(3, activation="gelu", layer_norm=True),
            "`layer_norm` and `zoneout` go with the activations tanh, sigmoid, relu and linear. Received: gelu",
        ),
        (
            lambda: layers.GRU(3, use_cudnn=True, zoneout=0.1),
            "`use_cudnn` must be 'auto' or False with `layer_norm` or `zoneout`. Received: True",
        ),
        (
            lambda: layers.UGRNN(3, recurrent_dropout=1.0),
            "`recurrent_dropout` must be a number from 0 up to, but not including, 1. Received: 1.0",
        ),
    ],
)
def test_wrong_options_are_refused(make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message
