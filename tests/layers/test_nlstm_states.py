"""The Nested LSTM through time: states, masks, directions."""

import numpy as np
import pytest
from keras import ops
from recurrent import EVERYTHING, INPUTS, H, N, T, assert_equal, call, gradients, random_states, random_weights, scalar

from shakegen.layers import NLSTM


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_sequence_cut_in_three_is_the_whole(depth, rng):
    layer = random_weights(NLSTM(H, depth, **EVERYTHING), rng)
    x, start = rng.normal(size=(N, 9, INPUTS)), random_states(layer, rng)
    pieces, states = [], start
    for piece in np.split(x, [2, 5], axis=1):
        outputs, *states = call(layer, piece, states)
        pieces.append(outputs)
    assert_equal([ops.concatenate(pieces, axis=1), *states], call(layer, x, start))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_stateful_layer_goes_on_where_it_was_until_reset(depth, rng):
    layer = random_weights(NLSTM(H, depth, **EVERYTHING), rng)
    stateful = random_weights(NLSTM(H, depth, stateful=True, **EVERYTHING), rng)
    stateful.set_weights(layer.get_weights())
    x = rng.normal(size=(N, 9, INPUTS))
    for _ in range(2):
        returned = [call(stateful, piece) for piece in np.split(x, [2, 5], axis=1)]
        outputs, states = [outputs for outputs, *_ in returned], returned[-1][1:]
        assert_equal([ops.concatenate(outputs, axis=1), *states], call(layer, x))
        stateful.reset_state()


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("unroll", [False, True])
def test_masked_steps_change_nothing(go_backwards, unroll, rng):
    layer = random_weights(
        NLSTM(H, 3, return_state=True, dtype="float64", go_backwards=go_backwards, unroll=unroll), rng
    )
    mask = np.array([[True, False, True, True, False, True], [False, True, True, False, False, False]])
    x, states = rng.normal(size=(N, T, INPUTS)), random_states(layer, rng)
    masked = call(layer, x, states, mask)
    for n in range(N):
        kept = call(layer, x[n : n + 1, mask[n]], [state[n : n + 1] for state in states])
        assert_equal([tensor[n : n + 1] for tensor in masked], kept)


def test_masked_steps_receive_no_gradient(rng):
    layer = random_weights(NLSTM(H, 3, **EVERYTHING), rng)
    mask = np.array([[True, False, True, True, False, True], [False, True, True, False, False, False]])
    arrays = [rng.normal(size=(N, T, INPUTS)), *random_states(layer, rng), *layer.get_weights()]
    by_inputs = gradients(scalar(layer, rng, mask=ops.convert_to_tensor(mask))[0], arrays)[0]
    assert np.array_equal(np.any(by_inputs != 0, axis=2), mask)


def test_going_backwards_is_reading_the_reversed_sequence(rng):
    forwards = random_weights(NLSTM(H, 3, **EVERYTHING), rng)
    backwards = random_weights(NLSTM(H, 3, go_backwards=True, **EVERYTHING), rng)
    backwards.set_weights(forwards.get_weights())
    x = rng.normal(size=(N, T, INPUTS))
    assert_equal(call(backwards, x), call(forwards, x[:, ::-1].copy()))


def test_unrolling_is_looping(rng):
    looped = random_weights(NLSTM(H, 3, **EVERYTHING), rng)
    unrolled = random_weights(NLSTM(H, 3, unroll=True, **EVERYTHING), rng)
    unrolled.set_weights(looped.get_weights())
    x = rng.normal(size=(N, T, INPUTS))
    assert_equal(call(unrolled, x), call(looped, x))


def test_the_layer_returns_what_it_is_asked_for(rng):
    layer = random_weights(NLSTM(H, 2, **EVERYTHING), rng)
    x = rng.normal(size=(N, T, INPUTS))
    sequence, h, *c = call(layer, x)
    assert_equal([sequence[:, -1]], [h], atol=0)
    for return_sequences, return_state, expected in (
        (True, False, [sequence]),
        (False, True, [h, h, *c]),
        (False, False, [h]),
    ):
        layer.return_sequences, layer.return_state = return_sequences, return_state
        returned = call(layer, x)
        assert_equal(returned if return_state else [returned], expected, atol=0)
