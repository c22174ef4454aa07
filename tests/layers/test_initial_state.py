"""A learned initial state: where sequences start, and how it is learned, on every recurrent layer."""

import keras
import numpy as np
import pytest
from keras import ops
from recurrent import EVERYTHING, INPUTS, H, N, T, assert_equal, call, gradients, random_states, random_weights, scalar

from shakegen.layers import GRU, LSTM, NLSTM, SimpleRNN


class Plain(SimpleRNN):
    def __init__(self, units, activation="sigmoid", **kwargs):  # Keras on JAX rounds tanh
        super().__init__(units, activation, **kwargs)


LAYERS = pytest.mark.parametrize("layer", [NLSTM, LSTM, GRU, Plain])


def pair(layer, rng, **arguments):
    """The same random layer twice: as it is, and with an initial state it learned; and that state, for a batch."""
    plain = random_weights(layer(H, **EVERYTHING, **arguments), rng)
    learned = random_weights(layer(H, learn_initial_state=True, **EVERYTHING, **arguments), rng)
    learned.cell.set_weights(plain.get_weights())
    return plain, learned, [np.tile(ops.convert_to_numpy(start.value), (N, 1)) for start in learned.learned_states]


@LAYERS
def test_it_is_off_unless_asked_for_and_starts_as_zeros(layer, rng):
    plain, learned = layer(H, **EVERYTHING), layer(H, learn_initial_state=True, **EVERYTHING)
    for each in plain, learned:
        each.build((N, None, INPUTS))
    states = len(plain.state_size)
    assert len(learned.trainable_weights) == len(plain.trainable_weights) + states
    assert_equal(learned.get_initial_state(N), [np.zeros((N, H))] * states)
    learned.cell.set_weights(plain.get_weights())
    x = rng.normal(size=(N, T, INPUTS))
    assert_equal(call(learned, x), call(plain, x))


@LAYERS
def test_a_sequence_starts_from_it_unless_given_another(layer, rng):
    plain, learned, start = pair(layer, rng)
    x, other = rng.normal(size=(N, T, INPUTS)), random_states(plain, rng)
    assert_equal(learned.get_initial_state(N), start)
    assert_equal(call(learned, x), call(plain, x, start))
    assert_equal(call(learned, x, other), call(plain, x, other))


@LAYERS
@pytest.mark.parametrize("stateful", [False, True])
def test_its_gradient_is_that_of_the_states_summed_over_the_batch(layer, stateful, rng):
    plain, learned, start = pair(layer, rng)
    if stateful:
        weights, learned = learned.get_weights(), layer(H, learn_initial_state=True, stateful=True, **EVERYTHING)
        learned.build((N, T, INPUTS))
        learned.set_weights(weights)
    x, count = rng.normal(size=(N, T, INPUTS)), len(start)
    by_states = gradients(scalar(plain, np.random.default_rng(1))[0], [x, *start, *plain.get_weights()])
    f, _ = scalar(learned, np.random.default_rng(1), given_states=False)
    by_weights = gradients(f, [x, *learned.get_weights()])
    assert_equal(by_weights[1 : 1 + count], [gradient.sum(axis=0) for gradient in by_states[1 : 1 + count]])
    assert_equal(by_weights[1 + count :], by_states[1 + count :])


@LAYERS
def test_a_stateful_layer_starts_from_it_and_then_carries_on(layer, rng):
    plain, learned, start = pair(layer, rng, stateful=True)
    x = rng.normal(size=(N, 9, INPUTS))
    *_, whole = call(plain, x, start)
    for _ in range(2):
        for piece in np.split(x, [2, 5], axis=1):
            *_, carried = call(learned, piece)
        assert_equal([carried], [whole])
        learned.reset_state()


def test_one_sample_of_a_stateful_layer_can_start_again(rng):
    plain, learned, start = pair(NLSTM, rng, stateful=True)
    x = rng.normal(size=(N, T, INPUTS))
    _, *carried = call(learned, x)
    assert_equal([learned.begun], [np.ones((N, 1))])
    learned.begun.assign([[0.0], [1.0]])
    mixed = [np.stack([s[0], ops.convert_to_numpy(c)[1]]) for s, c in zip(start, carried)]
    assert_equal(call(learned, x), call(plain, x, mixed))


@pytest.mark.parametrize("layer", [Plain, NLSTM])
def test_states_of_zero_in_mid_stream_are_carried_on(layer, rng):
    learned = layer(H, learn_initial_state=True, stateful=True, return_sequences=True, activation="relu")
    learned.build((N, T, INPUTS))
    learned.set_weights([np.ones_like(weight) for weight in learned.get_weights()])
    zeros = [np.zeros((N, H))] * len(learned.state_size)
    first = call(learned, np.zeros((N, 1, INPUTS)), zeros)
    for state in learned.states:
        state.assign(np.zeros((N, H)))
    assert_equal([call(learned, np.zeros((N, 1, INPUTS)))], [first])
    learned.reset_state()
    assert np.all(ops.convert_to_numpy(call(learned, np.zeros((N, 1, INPUTS)))) > ops.convert_to_numpy(first))


@LAYERS
def test_training_moves_it(layer, rng):
    learned = layer(H, learn_initial_state=True)
    model = keras.Sequential([keras.Input((T, INPUTS)), learned])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(rng.normal(size=(8, T, INPUTS)), np.ones((8, H)), verbose=0)
    assert all(np.all(start != 0) for start in learned.get_weights()[: len(learned.state_size)])


@LAYERS
def test_its_config_remembers(layer):
    assert layer.from_config(layer(H).get_config()).learn_initial_state is False
    assert layer.from_config(layer(H, learn_initial_state=True).get_config()).learn_initial_state is True


@pytest.mark.parametrize("layer", [LSTM, GRU])
def test_no_fused_loop_of_bidirectional_starts_a_learned_state_from_zeros(layer):
    """`Bidirectional` copies the forward layer's `use_cudnn`; on TensorFlow it has no fused loop."""
    backward = layer(H, learn_initial_state=True, go_backwards=True)
    both = keras.layers.Bidirectional(layer(H), backward_layer=backward)
    assert both.forward_layer.use_cudnn == "auto"
    assert both.backward_layer.use_cudnn == ("auto" if keras.backend.backend() == "tensorflow" else False)
