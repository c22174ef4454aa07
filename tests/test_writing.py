"""Text in, text out: the same laws as for ids, on real engines."""

import numpy as np
import pytest

from shakegen.config import Config
from shakegen.vocabulary import UnknownCharacters

OPTIONS = [{}, {"temperature": 0}, {"top_k": 5}, {"top_p": 0.8}, {"typical": 0.5}, {"min_p": 0.1, "top_k": 9}]


@pytest.fixture(params=["rnn", "lstm", "gru"])
def model(request, random_model):
    return random_model(Config(request.param, units=12))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_text_is_the_same_whatever_the_count(model, options):
    several = model.samples("abc", 60, count=4, random_state=3, **options)
    assert model.samples("abc", 60, count=2, random_state=3, **options) == several[:2]
    assert model.sample("abc", 60, random_state=3, **options) == several[0]
    if options != {"temperature": 0}:
        assert len(set(several)) == 4


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("every", [1, 7])
def test_a_stream_is_the_sample_in_pieces(model, options, every):
    pieces = list(model.stream("abc", 60, every=every, random_state=3, **options))
    assert "".join(pieces) == model.sample("abc", 60, random_state=3, **options)
    assert {len(piece) for piece in pieces[:-1]} == {every}


def test_texts_end_with_their_stop_text_or_the_length(model):
    free = model.samples("abc", 80, count=6, random_state=1)
    stops = [free[0][10:12], free[1][30]]
    for text, whole in zip(model.samples("abc", 80, count=6, random_state=1, stop=stops), free, strict=True):
        ends = [whole.find(stop) + len(stop) for stop in stops if stop in whole]
        assert text == whole[: min(ends, default=80)]
    later = model.sample("abc", 80, random_state=1, stop=stops[0], min_length=12)
    assert later.endswith(stops[0])
    assert len(later) >= 12
    assert "".join(model.stream("abc", 80, random_state=1, stop=stops)) == model.sample(
        "abc", 80, random_state=1, stop=stops
    )


def test_an_empty_seed_starts_from_the_zero_state(model):
    logits, _ = model.engine.prime([])
    assert model.sample("", 1, temperature=0) == model.vocabulary.decode([logits[0].argmax()])
    assert len(model.sample("", 30)) == 30


def test_a_seed_of_any_length_is_read_whole(random_model):
    model = random_model(Config("rnn", units=3))
    random = np.random.default_rng(0)
    tail = model.vocabulary.decode(random.integers(27, size=200_000))
    logits, _ = model.engine.prime(model.vocabulary.encode(tail))
    draft = model.draft(tail[:-50])
    draft.write(tail[-50:])
    assert [text for text, _ in draft.likeliest(3)] == list(model.vocabulary.decode(np.argsort(-logits[0])[:3]))
    assert model.sample(tail, 1, temperature=0) == draft.likeliest(1)[0][0]


def test_beams_are_scored_as_the_network_scores_them(model):
    found = model.beams("abc", 12, width=8, count=8, stop=["e"], length_penalty=0.5)
    for text, score, log_probability in found:
        ids = model.vocabulary.encode("abc" + text)
        state, total = model.engine.start(), 0.0
        for position in range(len(ids) - 1):
            logits, state = model.engine.step(ids[position : position + 1], state)
            if position >= 2:
                total += logits[0, ids[position + 1]] - np.log(np.exp(logits[0].astype(float)).sum())
        assert np.isclose(total, log_probability, atol=1e-4)
        assert np.isclose(score, log_probability / len(text) ** 0.5)
        assert len(text) == 12 or text.endswith("e")


def test_wider_beams_find_texts_as_good_as_greedy(model):
    greedy = model.sample("abc", 40, temperature=0)
    assert model.beams("abc", 40, width=1)[0].text == greedy
    scores = [model.beams("abc", 40, width=width)[0].score for width in (1, 2, 5, 20)]
    assert min(scores) >= scores[0] - 1e-4


def test_stochastic_beams_are_distinct_and_repeatable(model):
    found = model.stochastic_beams("abc", 10, count=6, random_state=2)
    assert len({text for text, _, _ in found}) == 6
    assert found == model.stochastic_beams("abc", 10, count=6, random_state=2)
    assert found != model.stochastic_beams("abc", 10, count=6, random_state=3)


def test_a_draft_knows_what_may_come_next(model):
    draft = model.draft("ab")
    draft.write("c")
    offers = draft.likeliest(27)
    assert sorted(text for text, _ in offers) == list(model.vocabulary.symbols)
    shares = [share for _, share in offers]
    assert np.isclose(sum(shares), 1)
    assert shares == sorted(shares, reverse=True)
    assert offers[0][0] == model.sample("abc", 1, temperature=0)
    assert draft.likeliest(1, temperature=0)[0][1] == 1
    with pytest.raises(UnknownCharacters):
        draft.write("d€")
    assert draft.likeliest(27) == offers


BAD = {
    "the count is 0: expected 1 text or more": {"count": 0},
    "the length is -1: expected a number of characters, 0 or more": {"length": -1},
    "top-p is 2: expected a share above 0 and up to 1; 0.9 is usual": {"top_p": 2},
    "a stop text is empty: expected one character or more": {"stop": ""},
    "the model can never write the stop text 'é': expected one of characters that it knows": {"stop": ["a", "é"]},
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_bad_arguments_are_refused_before_anything_is_drawn(random_model, message, options):
    with pytest.raises(ValueError) as error:
        random_model().samples("abc", **options)
    assert str(error.value) == message
    if "count" not in options:
        with pytest.raises(ValueError) as error:
            random_model().stream("abc", **options)
        assert str(error.value) == message
