"""Numbers become bytes and come back; no byte too many."""

import math

import pytest
from hypothesis import given, strategies as st

from shakegen.compression.range_coder import DamageError, Decoder, Encoder

FREQUENCIES = st.lists(st.one_of(st.integers(1, 4), st.integers(1, 1 << 40)), min_size=1, max_size=6)


@st.composite
def sequences(draw):
    """Numbers, each with the frequencies that it is drawn from."""
    steps = []
    for frequencies in draw(st.lists(FREQUENCIES, max_size=60)):
        sums = [0]
        for one in frequencies:
            sums.append(sums[-1] + one)
        steps.append((sums, draw(st.integers(0, len(frequencies) - 1))))
    return steps


def encode(steps):
    encoder = Encoder()
    for sums, number in steps:
        assert encoder.code(sums, number) == number
    return encoder.finish()


@given(sequences())
def test_numbers_come_back_from_as_few_bytes_as_their_information(steps):
    content = encode(steps)
    bits = sum(math.log2(sums[-1] / (sums[number + 1] - sums[number])) for sums, number in steps)
    assert len(content) <= bits / 8 + 2
    decoder = Decoder(content)
    assert [decoder.code(sums, None) for sums, _ in steps] == [number for _, number in steps]
    decoder.finish()


@pytest.mark.parametrize("number", [0, 1])
def test_carries_go_through_long_runs(number):
    steps = [([0, (1 << 40) - 1, 1 << 40], 1 - number)] * 20 + [([0, 1, 3], number)] * 200
    decoder = Decoder(encode(steps))
    assert [decoder.code(sums, None) for sums, _ in steps] == [number for _, number in steps]


def test_a_decoder_does_not_go_on_for_ever():
    decoder = Decoder(encode([([0, 1, 2], 1)] * 80))
    with pytest.raises(DamageError):
        [decoder.code([0, 1, 2], None) for _ in range(1000)]


def test_a_decoder_misses_bytes_that_were_not_read():
    decoder = Decoder(encode([([0, 1, 2], 1)] * 800))
    decoder.code([0, 1, 2], None)
    with pytest.raises(DamageError):
        decoder.finish()
