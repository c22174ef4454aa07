"""xz as a baseline, against the program's own files."""

import lzma

import numpy as np
import pytest

from shakegen.text import Corpus, xz

VERSE = "".join(f"{n} cats sat on {n * n % 97} mats, and a dog on log {n * 31 % 53}\n" for n in range(300))


def pack(text):
    return 8 * len(lzma.compress(text.encode(), preset=9))


@pytest.mark.parametrize("verse", [VERSE, VERSE.replace("cat", "Kätzchen")], ids=["ASCII", "UTF-8"])
def test_a_part_costs_what_it_adds_to_a_file_of_the_training_text(verse):
    corpus = Corpus.from_text(verse, split=(0.8, 0.1, 0.1))
    train, validation, test = (corpus.vocabulary.decode(ids) for ids in (corpus.train, corpus.validation, corpus.test))
    assert xz.measure(corpus) == {
        "validation": pytest.approx((pack(train + validation) - pack(train)) / len(validation), abs=0.1),
        "test": pytest.approx((pack(train + test) - pack(train)) / len(test), abs=0.1),
    }
    assert list(xz.measure(corpus, ["test"])) == ["test"]
    assert xz.measure(corpus)["test"] < 0.8 * pack(test) / len(test)


def test_a_text_that_was_seen_costs_nearly_nothing_and_noise_its_entropy(rng):
    noise = "".join(rng.choice(list("abcdefgh"), 20_000))
    seen = Corpus.from_text(noise + noise[:5000] * 2, split=(20_000, 5000, 5000))
    assert xz.measure(seen)["test"] < 0.1
    unseen = Corpus.from_text(noise, split=(10_000, 5000, 5000))
    assert 3 < xz.measure(unseen)["test"] < 3.6


@pytest.mark.parametrize("part", ["ab", "ab" * 100])
def test_no_text_costs_less_than_nothing(part):
    """The last bytes of a repetition may hold the end of the training text and all of the part."""
    assert 0 <= xz.count_bits("ab" * 1000, part) <= 8 * xz.STEP


def test_unknown_words_cost_their_spelling():
    words = Corpus.from_text(VERSE, level="word", vocabulary_size=9, split=(0.8, 0.1, 0.1))
    part = words.parts[2]
    assert xz.measure(words)["test"] > part.spelling / np.log(2) / part.characters > 0


def test_without_text_to_predict_there_is_nothing_to_measure():
    assert xz.measure(Corpus.from_text(VERSE, split=(1, 0, 0))) == {}


@pytest.mark.parametrize("far", [4, 64, 1 << 20])
def test_the_end_is_found_with_steps_of_any_size(monkeypatch, far):
    expected = xz.count_bits(VERSE, VERSE[:700].upper())
    monkeypatch.setattr(xz, "FAR", far)
    assert xz.count_bits(VERSE, VERSE[:700].upper()) == expected > 0
