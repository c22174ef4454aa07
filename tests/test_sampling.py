import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shakegen.sampling import ancestral

LOGITS = np.array([1.2, -0.3, 0.0, 2.0, -3.0])
CHI_SQUARE_4_DF_P001 = 18.47


def memoryless(logits):
    """A step function that always gives the same logits."""

    def step(ids, state):
        return np.tile(logits, (len(ids), 1)).astype(np.float32), state

    return step


def draw(logits, length, streams=1, **options):
    first = np.tile(logits, (streams, 1)).astype(np.float32)
    return np.array(
        [ids.copy() for ids in ancestral(memoryless(logits), first, np.zeros((streams, 0)), length, **options)]
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_those_of_the_softmax(temperature):
    drawn = draw(LOGITS, 20_000, temperature=temperature, random_state=7)
    expected = np.exp(LOGITS / temperature)
    expected *= drawn.size / expected.sum()
    counts = np.bincount(drawn.ravel(), minlength=5)
    assert ((counts - expected) ** 2 / expected).sum() < CHI_SQUARE_4_DF_P001


def test_streams_are_independent_of_each_other():
    drawn = draw(LOGITS, 20_000, streams=2, random_state=8)
    p = np.exp(LOGITS) / np.exp(LOGITS).sum()
    same = np.mean(drawn[:, 0] == drawn[:, 1])
    expected = (p**2).sum()
    assert abs(same - expected) < 4 * np.sqrt(expected * (1 - expected) / len(drawn))


def test_zero_temperature_is_greedy_and_so_is_its_limit():
    assert set(draw(LOGITS, 50, temperature=0).ravel()) == {3}
    assert set(draw(LOGITS, 50, temperature=1e-4).ravel()) == {3}


def test_a_stream_depends_on_random_state_and_its_own_number_alone():
    assert np.array_equal(
        draw(LOGITS, 300, streams=1, random_state=5)[:, 0], draw(LOGITS, 300, 4, random_state=5)[:, 0]
    )
    assert np.array_equal(
        draw(LOGITS, 300, streams=3, random_state=5)[:, 2], draw(LOGITS, 300, 4, random_state=5)[:, 2]
    )
    assert not np.array_equal(draw(LOGITS, 300, random_state=5), draw(LOGITS, 300, random_state=6))


def test_each_draw_is_given_to_the_next_step():
    def alphabet(ids, state):
        assert np.array_equal(state, ids)
        return np.eye(5, dtype=np.float32)[(ids + 1) % 5] * 100, (ids + 1) % 5

    first = np.eye(5, dtype=np.float32)[[0, 3]] * 100
    drawn = np.array([ids.copy() for ids in ancestral(alphabet, first, np.array([0, 3]), 7)])
    assert drawn.T.tolist() == [[0, 1, 2, 3, 4, 0, 1], [3, 4, 0, 1, 2, 3, 4]]


@settings(max_examples=50)
@given(
    hnp.arrays(np.float32, 6, elements=st.sampled_from([-1e4, -5.0, 0.0, 3.0, 1e4, -np.inf])),
    st.sampled_from([0, 1e-3, 1.0, 50.0]),
)
def test_impossible_characters_are_never_drawn(logits, temperature):
    logits[2] = 0.0
    drawn = draw(logits, 40, temperature=temperature)
    assert np.isfinite(logits[drawn]).all()


BAD = {
    "the length is -1: expected a number of characters, 0 or more": {"length": -1},
    "the temperature is -0.5: expected 0 (greedy) or more; 0.5 is careful, 1 is free": {"temperature": -0.5},
    "the temperature is nan: expected 0 (greedy) or more; 0.5 is careful, 1 is free": {"temperature": float("nan")},
    "the random state is -3: expected a whole number, 0 or more": {"random_state": -3},
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_arguments_out_of_range(message, options):
    with pytest.raises(ValueError) as error:
        draw(LOGITS, **{"length": 3, **options})
    assert str(error.value) == message
