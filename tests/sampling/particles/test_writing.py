"""Texts of a form: whole texts of real networks, of characters and of words."""

import re

import numpy as np
import pytest

from shakegen.sampling.constraints import Forbid, NoRepeat
from shakegen.sampling.particles import Form, Place
from shakegen.text.word_vocabulary import UnknownWords


@pytest.fixture
def model(random_model):
    return random_model()


def test_a_template_comes_out_in_form(model):
    shape = r"xy dear [a-f]{2,4} (?:(?!zz).){6,9}zz.{3}a b+ the .{4}"
    texts = model.fill("dear {[a-f]{2,4}} {:6-9}zz{:3}{a b+} the {:4}", "xy ", count=4, particles=8, random_state=1)
    assert len({one.text for one in texts}) == 4
    for one in texts:
        assert re.fullmatch(shape, "xy " + one.text)
        assert one.log_weight < 0
        assert np.isclose(one.log_probability, read(model, "xy dear ", one.text[5:]), atol=1e-3)


def read(model, seed, text):
    """The log-probability of a text after a seed."""
    engine, total = model.engine, 0.0
    logits, state = engine.prime(model.vocabulary.encode(seed))
    for one in model.vocabulary.encode(text):
        total += logits[0, one] - np.log(np.exp(logits[0].astype(float)).sum())
        logits, state = engine.step(np.array([one]), state)
    return total


def test_bridges_contained_and_last_texts(model):
    for one in model.fill(Form.between("quick", 12), "abc", count=3, particles=8):
        assert len(one.text) == 17
        assert one.text.index("quick") == 12
    for one in model.fill(Form.containing(["ab", "ba"], length=15), "abc", count=3, particles=8):
        assert len(one.text) == 15
        assert re.search("ab.*ba", one.text)
    for one in model.fill(Form.containing("ab", "e", 30, 12), "abc", count=5, particles=8):
        assert 12 <= len(one.text) <= 30
        assert one.text.endswith("e")
        assert "ab" in one.text
        assert "e" not in one.text[max(11, one.text.index("ab") + 2) : -1]


def test_constraints_hold_in_the_whole_text(model):
    form = Form.template("xy {:30}done")
    for one in model.fill(form, "abc", count=4, particles=8, constraints=[Forbid(["a", "ed"]), NoRepeat(2)]):
        assert "a" not in one.text
        assert "ed" not in one.text
        pairs = [one.text[k : k + 2] for k in range(len(one.text) - 1)]
        assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize(("seed", "form", "text"), [("", "dear {:3}", "dear "), ("dye", "ar{:3}", "ar")])
def test_constraints_hold_before_the_first_place_and_not_in_the_seed(model, seed, form, text):
    with pytest.raises(ValueError) as error:
        model.fill(form, seed, constraints=[Forbid("ear")])
    assert str(error.value) == f"forbidding 'ear' contradicts {text!r}, which must be written: leave one of them out"
    assert model.fill("r{:3}", "dear ", particles=4, constraints=[Forbid("ear")])


def test_a_later_place_may_be_the_one_that_bounds_the_length(model):
    def fill(most):
        return model.fill(Form((Place(0, most), "a", Place(0, 10), "b"), total=True), count=3, particles=8)

    assert fill(20) == fill(10)
    assert all(len(one.text) <= 10 and re.search("a.*b", one.text) for one in fill(20))
    with pytest.raises(ValueError, match="its length is 20: expected a larger length"):
        model.fill(Form((Place(15, 20), "a", Place(0, 10), "b"), total=True))


def test_the_length_of_the_whole_text_counts_what_stands_first(model):
    for one in model.fill(Form(("abc", Place(0, 10), "d", Place(10, 10)), total=True), count=3, particles=8):
        assert re.fullmatch("abc.*d.*", one.text)
        assert len(one.text) == 10
    with pytest.raises(
        ValueError, match=r"^the text must have 'abcdef', 6 symbols, but its length is 3: expected a larger"
    ):
        model.fill(Form(("abcdef", Place(3, 3)), total=True))


def test_a_place_is_ended_by_a_symbol(model, word_model):
    for writer, template, options in ((model, "{:2-5}é", {"on_unknown": "skip"}), (word_model, "{:2-5} {:2}", {})):
        with pytest.raises(ValueError) as error:
            writer.fill(template, **options)
        assert str(error.value) == (
            "the place {:2-5} has no symbol after it to end it: expected one that the model knows, or one length, as "
            "in {:5}"
        )


def test_many_particles_write_better_bridges_than_one(model):
    """Better: the given text is likelier after the free one, as it is in the exact distribution."""
    form = Form.between("quick fox", 8)

    def judge(particles):
        texts = model.fill(form, "abc", count=60, particles=particles)
        return np.mean([read(model, "abc" + one.text[:8], one.text[8:]) for one in texts])

    forced = [read(model, "abc" + text, "quick fox") for text in model.samples("abc", 8, count=60)]
    assert judge(64) > judge(1) > np.mean(forced)


BAD = {
    "nothing that the model can write fits in the place {[a-z]{3}:5}: expected another pattern, or another length": (
        "{[a-z]{3}:5} x"
    ),
    "nothing that the model can write fits in the place {[0-9]+:0-200}: expected another pattern, or another length": (
        "{[0-9]+} x"
    ),
    "the text must have 'quick' and 'fox', 8 symbols, but its length is 7: expected a larger length": Form.containing(
        "quick", "fox", 7
    ),
    "the pattern '[a' cannot be read (unterminated character set at position 0): expected a regular expression, such "
    "as [0-9]+": "{[a}b",
    "the pattern '(a{50}|b{60}){90}' needs 9,902 states over 27 symbols: expected at most 3,000 states; try something "
    "simpler": "{(a{50}|b{60}){90}}x",
    "64 particles over up to 200,001 characters are too many: expected a product of at most 10,000,000": Form.between(
        "x", 200_000
    ),
    "no text of this form was found: all 64 particles came to a dead end; expected a form that the model can write; "
    "try more particles, or ask for less": "{[ab]{3}c}ab",
}


@pytest.mark.parametrize(("message", "form"), BAD.items())
def test_impossible_forms_are_refused_at_once(model, message, form):
    options = {"constraints": [Forbid(["cab"])]} if "dead end" in message else {}
    with pytest.raises(ValueError) as error:
        model.fill(form, **options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("the count is 0: expected 1 text or more", {"count": 0}),
        ("the number of particles is 0: expected 1 to 1,000,000; 64 is usual", {"particles": 0}),
        (
            "the temperature is 0: expected 0.001 to 1000 where particles draw; 0.5 is careful, 1 is free",
            {"temperature": 0},
        ),
        ("the random state is -1: expected a whole number, 0 or more", {"random_state": -1}),
        (
            "forbidding 'ick' contradicts 'quick', which must be written: leave one of them out",
            {"constraints": [NoRepeat(2), Forbid(["ick"])]},
        ),
    ],
)
def test_bad_arguments_are_refused(model, message, options):
    with pytest.raises(ValueError) as error:
        model.fill("{:3}quick", **options)
    assert str(error.value) == message


def test_words(word_model):
    """A space at the end of a given text begins the first word of the place after it, and patterns see the rest."""
    texts = word_model.fill("art {:3} day? {[a-z]+ [a-z]+}\n{:2}", "Thou ", count=4, particles=8)
    assert len({one.text for one in texts}) > 1
    for one in texts:
        assert re.fullmatch(r"art [^ \n][^\n]* day\? [a-z]+ [a-z]+\n[^\n]*", one.text)
        assert "\ufffd" not in one.text


def test_unknown_words_of_given_texts(word_model):
    form = Form.between(" Zounds thee", 4)
    read_as_symbol = word_model.fill(form, "Gadzooks", particles=8, on_unknown="symbol")[0]
    assert read_as_symbol.text.endswith(" Zounds thee")
    assert word_model.fill(form, "Shall", particles=8, on_unknown="skip")[0].text.endswith(" Zounds thee")
    with pytest.raises(UnknownWords, match="the model does not know ' Zounds': "):
        word_model.fill(form, "Shall")
    assert word_model.fill("{:2} thee", "Gadzooks", particles=8)[0].text.endswith(" thee")
    hint = r"does not know 'thee' \(but ' thee': a space belongs to the word after it\): "
    for required in (Form.containing("thee", length=5), "thee{:3}"):
        with pytest.raises(UnknownWords, match=hint):
            word_model.fill(required)
