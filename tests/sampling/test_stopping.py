import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.sampling import StopAfter, StopTexts, until
from shakegen.text.vocabulary import Vocabulary

AB = ("a", "b")


def first_end(stops, ids):
    """How many ids a stream writes until a stop text stands."""
    nodes = stops.start(1)
    for count, one in enumerate(ids, 1):
        nodes, complete = stops.advance(nodes, np.array([one]))
        if complete[0]:
            return count
    return None


@given(
    st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(st.sampled_from([0, 1, 2, 3]), max_size=30),
)
def test_ends_are_where_the_written_text_contains_a_stop_text(texts, ids):
    symbols = ("a", "b", "ab", "bba")
    written = [sum(len(symbols[k]) for k in ids[:count]) for count in range(1, len(ids) + 1)]
    text = "".join(symbols[k] for k in ids)
    ends = [count for count, length in enumerate(written, 1) if any(stop in text[:length] for stop in texts)]
    assert first_end(StopTexts(texts, symbols), ids) == (ends[0] if ends else None)


def test_matches_go_on_after_a_match():
    stops = StopTexts(["aa"], AB)
    nodes, ends = stops.start(1), []
    for one in (0, 0, 0, 1, 0, 0):
        nodes, complete = stops.advance(nodes, np.array([one]))
        ends.append(bool(complete[0]))
    assert ends == [False, True, True, False, False, True]


def test_nodes_may_be_reordered_as_states_are():
    stops = StopTexts(["aba"], AB)
    nodes, _ = stops.advance(stops.start(3), np.array([0, 1, 0]))
    nodes, _ = stops.advance(nodes[[2, 2, 1]], np.array([1, 0, 1]))
    assert stops.advance(nodes, np.array([0, 0, 0]))[1].tolist() == [True, False, False]


def lived(texts, columns, min_length=0):
    draws = np.array(columns).T
    found = list(until(iter(draws), StopTexts(texts, AB), draws.shape[1], min_length))
    return np.array([live for _, live in found]).sum(axis=0).tolist(), len(found)


def test_each_stream_ends_with_its_stop_text_and_all_end_the_draw():
    assert lived(["ab"], [[0, 1, 0, 0, 0], [1, 1, 0, 1, 0]]) == ([2, 4], 4)
    assert lived(["ab", "bb"], [[0, 1, 0, 0, 0], [1, 1, 0, 1, 0]]) == ([2, 2], 2)
    assert lived([], [[0, 1, 0, 0, 0], [1, 1, 0, 1, 0]]) == ([5, 5], 5)


def test_a_stop_text_before_the_least_length_is_text():
    assert lived(["ab"], [[0, 1, 0, 0, 1, 0]], min_length=2) == ([2], 2)
    assert lived(["ab"], [[0, 1, 0, 0, 1, 0]], min_length=3) == ([5], 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a stop text is empty: expected one character or more"),
        ("abc", "the model can never write the stop text 'abc': expected one of characters that it knows"),
    ],
)
def test_stop_texts_that_can_never_be_written(text, message):
    with pytest.raises(ValueError) as error:
        StopTexts([text], AB)
    assert str(error.value) == message


def test_what_can_be_written_is_judged_by_the_symbols():
    assert StopTexts(["b a"], ("ab", " ", "ac"))
    with pytest.raises(ValueError, match="the model can never write the stop text 'b b'"):
        StopTexts(["b b"], ("ab", " ", "ac"))


@pytest.mark.parametrize("symbols", [[*"ab.!\n"], ["a", "b.", "!\n", "\n\n", ".", "a.b"]], ids=str)
@pytest.mark.parametrize(("what", "pattern"), [("lines", "\n"), ("sentences", "[^.!?…][.!?…]")])
@pytest.mark.parametrize("number", [1, 3])
def test_a_text_ends_after_so_many_lines_or_sentences(symbols, what, pattern, number):
    drawn = np.random.default_rng(number).integers(len(symbols), size=(60, 1))
    found = list(until(iter(drawn), StopTexts(StopAfter(number, what), symbols), 1))
    texts = ["".join(symbols[k] for k in drawn[:end, 0]) for end in range(61)]
    assert len(found) == next(end for end, text in enumerate(texts) if len(re.findall(pattern, text)) >= number)


def test_a_sentence_may_begin_in_the_seed():
    end = StopAfter(1, "sentences")
    assert first_end(StopTexts(end, ("a", "."), ["b"]), [1, 0, 1]) == 1
    assert first_end(StopTexts(end, ("a", "."), ["b."]), [1, 0, 1]) == 3


def test_a_stop_text_may_not():
    assert first_end(StopTexts("aa", AB, ["a"]), [0, 0]) == 2


@pytest.mark.parametrize(
    ("number", "what", "message"),
    [
        (0, "lines", "the number of lines is 0: expected 1 or more"),
        (3, "words", "a text is to end after 'words': expected 'lines' or 'sentences'"),
    ],
)
def test_ends_that_are_refused(number, what, message):
    with pytest.raises(ValueError) as error:
        StopAfter(number, what)
    assert str(error.value) == message


def test_a_sentence_may_end_in_the_seed_with_a_mark_that_no_symbol_has():
    stops = StopTexts(StopAfter(1, "sentences"), ["a", "."], ["a…"])
    assert not stops.advance(stops.start(1), np.array([1]))[1].any()


def test_sentences_that_began_in_the_seeds_end(random_weights):
    vocabulary, config = Vocabulary("ab."), Config("gru", units=4)
    writer, end = LanguageModel(config, vocabulary, random_weights(config, 3)), StopAfter(1, "sentences")
    for seed in ("a", "."):
        texts = writer.samples(seed, 40, count=30, stop=end)
        assert all(re.fullmatch(r"[^.]*\." if seed == "a" else r"\.*[^.]+\.", text) for text in texts)
        assert ("." in texts) == (seed == "a")  # it ends what the seed began
        assert writer.samples([seed, "b"], 40, stop=end)[0] == texts[0]
        for beam in writer.beams(seed, 9, width=3, count=3, stop=end):
            assert len(re.findall(r"[^.]\.", seed + beam.text)) <= 1
