"""Text in, text out: the same laws as for ids, on real engines."""

import numpy as np
import pytest

from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.sampling.constraints import DeadEnd, Forbid, NoRepeat
from shakegen.text.vocabulary import UnknownCharacters, Vocabulary
from shakegen.text.word_vocabulary import UnknownWords, tokenize

OPTIONS = [{}, {"temperature": 0}, {"top_k": 5}, {"top_p": 0.8}, {"typical": 0.5}, {"min_p": 0.1, "top_k": 9}]


@pytest.fixture
def model(random_model):
    return random_model(Config("gru", units=12))


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


def test_what_was_drawn_before_a_dead_end_comes(model):
    pieces = []
    with pytest.raises(DeadEnd):
        pieces.extend(model.stream("ab", 99, every=20, constraints=[NoRepeat(1)]))
    assert [len(piece) for piece in pieces] == [20, 7]
    assert sorted("".join(pieces)) == sorted(model.vocabulary.symbols)


@pytest.mark.parametrize("options", [{}, {"constraints": [Forbid("e"), NoRepeat(3)]}], ids=str)
def test_several_seeds_are_continued_like_each_alone(model, options):
    seeds = ["abc", "", "shall i "]
    texts = model.samples(seeds, 40, random_state=3, **options)
    assert texts == [model.samples(seed, 40, count=3, random_state=3, **options)[k] for k, seed in enumerate(seeds)]


def test_lists_of_seeds_that_are_none(model):
    with pytest.raises(ValueError, match=r"^the list of seeds is empty: expected one text to continue, or more$"):
        model.samples([])
    for seeds in (["a", 5], 5, None, {"a": "b"}):
        with pytest.raises(TypeError) as error:
            model.samples(seeds)
        assert str(error.value) == f"the seed is {seeds!r}: expected a text to continue, or a list of texts"


def test_one_seed_is_one_text(word_model):
    for write in (word_model.stream, word_model.beams, word_model.stochastic_beams, word_model.draft):
        for seed in (["a", "b"], None):
            with pytest.raises(TypeError) as error:
                write(seed)
            assert str(error.value) == f"the seed is {seed!r}: expected a text to continue"


def test_seeds_of_words_may_end_in_spaces(word_model):
    texts = word_model.samples(["Shall I ", "Thou"], 20, random_state=3, constraints=[Forbid(" I")])
    assert not texts[0].startswith(" ")
    assert not any(" I" in seed + text for seed, text in zip(["", "Thou"], texts, strict=True))


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


def test_a_text_that_has_ended_may_come_to_a_dead_end(model):
    """Over a and b, no text of 6 letters is without a pair that stands twice; some come to their end sooner."""
    constraints = [Forbid(alphabet="ab"), NoRepeat(2)]
    texts = model.samples("", 9, count=30, random_state=1, stop="ab", constraints=constraints)
    assert {"ab", "bbaab"} <= set(texts)
    assert all(text.endswith("ab") for text in texts)
    with pytest.raises(DeadEnd):
        model.samples("", 9, count=30, random_state=1, constraints=constraints)


def test_an_empty_seed_starts_from_the_zero_state(model):
    logits, _ = model.engine.prime([])
    assert model.sample("", 1, temperature=0) == model.vocabulary.decode([logits[0].argmax()])
    assert len(model.sample("", 30)) == 30


def test_a_seed_of_any_length_is_read_whole(random_model, rng):
    """A unit remembers for ever whether there was a z."""
    drawn = random_model(Config("rnn", units=3, layers=1))
    weights = {name: weight.copy() for name, weight in drawn.weights.items()}
    for name in ("kernel", "recurrent_kernel"):
        weights[f"layer1/{name}"][:, 0] = 0
    weights["layer1/bias"][0], weights["layer1/recurrent_kernel"][0, 0] = 0, 3
    weights["layer1/kernel"][drawn.vocabulary.encode("z")[0], 0] = 6
    model, found = LanguageModel(drawn.config, drawn.vocabulary, weights), []
    tail = "".join(rng.choice([*"abcdefgh"], 20_000))
    for seed in ("z" + tail, tail):
        logits, _ = model.engine.prime(model.vocabulary.encode(seed))
        draft = model.draft(seed[:-50])
        draft.write(seed[-50:])
        assert [text for text, _ in draft.likeliest(3)] == list(model.vocabulary.decode(np.argsort(-logits[0])[:3]))
        assert model.sample(seed, 1, temperature=0) == draft.likeliest(1)[0][0]
        found.append([probability for _, probability in draft.likeliest(3)])
    assert not np.allclose(*found, rtol=1e-3)


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
    "the temperature goes along (1, 0): expected two numbers above 0, such as 0.4 and 1.2": {"temperature": (1, 0)},
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


@pytest.fixture(params=["words", "characters"])
def guessing(request, word_model, random_weights):
    """A model that would write its unknown symbol, and hardly anything else, if it could."""
    if request.param == "words":
        vocabulary, config = word_model.vocabulary, word_model.config
    else:
        vocabulary, config = Vocabulary("abcdefghi ", unknown=True), Config(units=5)
    weights = random_weights(config, len(vocabulary))
    weights["dense/bias"][vocabulary.unknown] = 50
    return LanguageModel(config, vocabulary, weights)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_unknown_symbol_is_never_written(guessing, options):
    assert "\ufffd" not in "".join(guessing.samples("", 40, count=3, **options))
    assert "\ufffd" not in "".join(guessing.stream("", 40, **options))


def test_beams_do_not_write_the_unknown_symbol_either(guessing):
    found = guessing.beams("a", 9, width=6, count=6) + guessing.stochastic_beams("a", 9, count=6)
    found += guessing.beams("a", 9, width=6, count=6, no_repeat_ngram=2, stop=["a"])
    assert len(found) == 18
    assert "\ufffd" not in "".join(text for text, _, _ in found)
    assert all(np.isfinite(log_probability) for _, _, log_probability in found)
    draft = guessing.draft("a")
    draft.write("a")
    assert "\ufffd" not in [text for text, _ in draft.likeliest(1000)]
    assert len(draft.likeliest(1000)) == len(guessing.vocabulary) - 1


def test_what_may_be_written_keeps_its_proportions(guessing):
    logits, _ = guessing.engine.prime(guessing.vocabulary.encode(""))
    shares = np.exp(logits[0, :-1].astype(float))
    shares /= shares.sum()
    offered = dict(guessing.draft("").likeliest(1000))
    assert np.allclose([offered[text] for text in guessing.vocabulary.symbols], shares, atol=1e-6)


def test_lengths_are_counted_in_words(word_model):
    texts = word_model.samples("Shall I", 30, count=3, random_state=1)
    pieces = list(word_model.stream("Shall I", 30, random_state=1))
    assert "".join(pieces) == texts[0]
    assert len(pieces) == 30
    assert set(pieces) <= set(word_model.vocabulary.symbols)
    assert len(word_model.stochastic_beams("Shall I", 4, count=5)) == 5


def test_unknown_words_of_a_seed(word_model):
    symbol = word_model.sample("Zounds thee", 20, random_state=2)
    assert symbol == word_model.sample("Gadzooks thee", 20, random_state=2, on_unknown="symbol")
    skipped = word_model.sample("Zounds thee", 20, random_state=2, on_unknown="skip")
    assert skipped == word_model.sample(" thee", 20, random_state=2)
    with pytest.raises(UnknownWords):
        word_model.sample("Zounds thee", 20, on_unknown="error")


def test_a_space_at_the_end_of_a_seed_begins_a_word(word_model):
    """What comes is drawn given that it begins with a space; that space stands in the seed already."""
    spaced = [symbol for symbol in word_model.vocabulary.symbols if symbol.startswith(" ")]
    whole = dict(word_model.draft("Shall I").likeliest(1000))
    total = sum(whole[symbol] for symbol in spaced)
    offered = dict(word_model.draft("Shall I ").likeliest(1000))
    assert offered.keys() == {symbol[1:] for symbol in spaced}
    assert all(np.isclose(offered[symbol[1:]], whole[symbol] / total, rtol=1e-4) for symbol in spaced)
    for text in (*word_model.samples("Shall I ", 5, count=4), word_model.beams("Shall I ", 5)[0].text):
        assert not text.startswith(" ")
    assert word_model.sample("Shall I ", 9) == "".join(word_model.stream("Shall I ", 9))


def test_a_draft_of_words_reads_what_it_is_given(word_model):
    whole, parts = word_model.draft("Shall I compare thee to"), word_model.draft("Shall I ")
    for text in ("compare ", "thee", " to"):
        parts.write(text)
    assert parts.likeliest(50) == whole.likeliest(50)
    assert parts.length == 3


def test_stop_texts_end_a_text_of_words(word_model):
    free = word_model.sample("Thou", 60, random_state=4)
    stop = free[20:24]
    stopped = word_model.sample("Thou", 60, random_state=4, stop=stop)
    assert free.startswith(stopped)
    assert stop in stopped
    assert stop not in "".join(tokenize(stopped)[:-1])


def test_several_texts_are_refused_where_one_is_written(model):
    with pytest.raises(TypeError, match="seed"):
        model.sample(["abc", "b"], 5)
    with pytest.raises(ValueError, match=r"^count is 3, but this is one text: leave it out, or call `samples`$"):
        model.sample("abc", 5, count=3)


def test_a_temperature_that_changes_is_refused_where_it_cannot(model):
    for write in model.stochastic_beams, lambda *_, temperature: model.draft().likeliest(temperature=temperature):
        with pytest.raises(ValueError, match=r"^the temperature is \(0\.4, 1\.2\): expected 0"):
            write("abc", temperature=(0.4, 1.2))
    with pytest.raises(ValueError, match=r"^the temperature goes along \(0, 1\): expected two numbers above 0"):
        model.sample("abc", temperature=(0, 1))
