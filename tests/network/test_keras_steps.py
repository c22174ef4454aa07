"""Any Keras model as a step function, on every backend."""

import keras
import numpy as np
import pytest

from shakegen.callbacks import SampleText
from shakegen.network.keras_steps import KerasSteps
from shakegen.text.vocabulary import Vocabulary

V, T = 3, 4


def read_one_hot():
    inputs = keras.Input((T, V))
    return keras.Model(inputs, keras.layers.Dense(V, "softmax")(keras.layers.SimpleRNN(5)(inputs)))


def read_ids():
    inputs = keras.Input((None,), dtype="int32")
    hidden = keras.layers.SimpleRNN(5, return_sequences=True)(keras.layers.Embedding(V, 2)(inputs))
    return keras.Model(inputs, keras.layers.Dense(V)(hidden))


@pytest.mark.parametrize("make", [read_one_hot, read_ids])
def test_its_steps_are_what_the_model_says_of_the_window(make):
    model, ids = make(), np.array([1, 2, 0, 1, 1])
    logits, state = KerasSteps(model).prime(ids[:-1])
    stepped, _ = KerasSteps(model).step(ids[-1:], state)
    for found, window in (logits, ids[:-1]), (stepped, ids[-T:] if make is read_one_hot else ids):
        given = np.eye(V, dtype="float32")[window][None] if make is read_one_hot else window[None]
        outputs = keras.ops.convert_to_numpy(model(given))
        expected = np.log(outputs) if make is read_one_hot else outputs[:, -1]
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("make", [read_one_hot, read_ids])
def test_a_sample_is_shown_after_an_epoch(make, capsys):
    sampler, model = SampleText(Vocabulary("abc"), "ab", length=3), make()
    model.compile("sgd", "mse")
    given = np.zeros((2, T, V), "float32") if make is read_one_hot else np.zeros((2, T), "int32")
    model.fit(given, np.zeros_like(keras.ops.convert_to_numpy(model(given))), verbose=0, callbacks=[sampler])
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"{sampler.text}\n\n", "")
    assert sampler.text.startswith("ab")
    assert len(sampler.text) == 5


@pytest.mark.parametrize("make", [read_one_hot, read_ids])
def test_nothing_is_drawn_from_nan(make):
    model = make()
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    expected = (
        "the model predicts NaN: expected probabilities or logits; its training may have diverged, so try a lower "
        "learning rate"
    )
    with pytest.raises(ValueError) as raised:
        KerasSteps(model).prime([1, 2])
    assert str(raised.value) == expected


def test_several_texts_keep_their_contexts():
    steps = KerasSteps(read_ids())
    alone = [steps.prime(text)[1] for text in ([1], [0, 1, 2, 2], [2])]
    logits, _ = steps.step([2, 2, 0], np.concatenate(alone))
    for row, number, state in zip(logits, [2, 2, 0], alone, strict=True):
        assert np.allclose(row, steps.step([number], state)[0][0], atol=1e-6)


def test_states_of_layers_within_layers_are_kept():
    inputs = keras.Input((T,), batch_size=1, dtype="int32")
    gru = keras.layers.GRU(3, stateful=True, return_sequences=True)
    inner = keras.Sequential([keras.Input((T, 2), batch_size=1), gru])
    both = keras.layers.Bidirectional(keras.layers.LSTM(2, stateful=True))
    model = keras.Model(inputs, keras.layers.Dense(V)(both(inner(keras.layers.Embedding(V, 2)(inputs)))))
    model(np.ones((1, T), "int32"))
    layers = [gru, both.forward_layer, both.backward_layer]
    before = [keras.ops.convert_to_numpy(state) for layer in layers for state in layer.states]
    logits, _ = KerasSteps(model).prime([1, 2])
    assert np.array_equal(KerasSteps(model).prime([1, 2])[0], logits)
    for old, new in zip(before, [state for layer in layers for state in layer.states], strict=True):
        assert np.abs(old).max() > 0
        assert np.array_equal(old, keras.ops.convert_to_numpy(new))
