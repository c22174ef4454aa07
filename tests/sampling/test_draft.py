"""Texts that grow as a caller adds to them."""

import numpy as np
import pytest

from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.text.vocabulary import UnknownCharacters


def test_what_was_added_last_can_be_taken_back(random_model, word_model):
    for model, seed in ((random_model(), "ab"), (word_model, "Shall I com")):
        draft = model.draft(seed)
        before, added = draft.likeliest(), draft.likeliest()[1][0]
        draft.write(added)
        after = draft.likeliest()
        draft.write(after[0][0])
        draft.erase()
        assert (draft.text, draft.likeliest()) == (seed + added, after)
        draft.erase()
        draft.erase()
        assert (draft.text, draft.length, draft.likeliest()) == (seed, 0, before)
        draft.write(added)
        assert draft.likeliest() == after


def test_a_word_that_is_typed_letter_by_letter_is_read_as_a_whole(word_model):
    whole, typed = word_model.draft("Thou art more"), word_model.draft("Thou art more")
    whole.write(" lovely and")
    for letter in " lovely and":
        typed.write(letter)
    assert (typed.text, typed.length) == (whole.text, whole.length)
    assert typed.likeliest() == whole.likeliest()
    for _ in " and":
        typed.erase()
    other = word_model.draft("Thou art more")
    other.write(" lovely")
    assert typed.likeliest() == other.likeliest()


def test_an_offer_is_one_symbol(random_weights, poem):
    """Of its text alone, a piece may be read as others."""
    vocabulary, config = Corpus.from_text(poem, level="subword").vocabulary, Config(units=6, level="subword")
    draft = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary))).draft("Thou art more")
    for _ in range(12):
        offer, _ = draft.likeliest()[-1]
        before, length = draft.likeliest(), draft.length
        draft.accept(offer)
        assert draft.length == length + 1
        draft.erase()
        assert draft.likeliest() == before
        draft.accept(offer)


@pytest.mark.parametrize("seed", ["Shall  I", "  Thou", "Thou  ", "Thou art\n  "])
def test_a_seed_is_read_as_the_text_that_it_is(word_model, seed):
    pending = word_model.vocabulary.pending(seed)
    logits, _ = word_model.engine.prime(word_model.vocabulary.encode(seed.removesuffix(pending)), 1)
    expected = word_model.generator._exclude(logits, pending)
    found = word_model.generator._exclude(word_model.draft(seed)._now.logits, pending)
    assert np.allclose(found, expected, atol=1e-5)


def test_a_word_that_is_skipped_takes_its_space_with_it(word_model):
    typed = word_model.draft("Shall ", on_unknown="skip")
    typed.write("Qzzz")
    assert typed.likeliest() == word_model.draft("Shall Qzzz", on_unknown="skip").likeliest()


def test_what_a_seed_skips_stays_skipped(word_model):
    draft, known = word_model.draft("Thou Qzzz", on_unknown="skip"), word_model.draft("Thou")
    for one in draft, known:
        one.write(" more")
    assert (draft.length, draft.likeliest()) == (known.length, known.likeliest())


@pytest.mark.parametrize("text", ["\n    x", " don't", "pare", "  ", f"{'床前明月光' * 120}x1"])
def test_text_is_read_alike_key_by_key(word_model, text):
    whole, typed = word_model.draft("Shall I com"), word_model.draft("Shall I com")
    whole.write(text)
    for key in text:
        typed.write(key)
    assert (typed.length, typed.likeliest()) == (whole.length, whole.likeliest())
    words, shares = zip(*whole.likeliest(), strict=True)
    assert dict(word_model.draft(f"Shall I com{text}").likeliest()) == pytest.approx(dict(zip(words, shares)), rel=1e-5)


def test_what_is_typed_is_skipped_as_in_the_seed(random_model):
    model = random_model()
    draft = model.draft("aéb", on_unknown="skip")
    draft.write("çc")
    assert (draft.text, draft.length) == ("aébçc", 1)
    assert draft.likeliest() == model.draft("abc").likeliest()
    with pytest.raises(UnknownCharacters):
        model.draft("ab").write("ç")
