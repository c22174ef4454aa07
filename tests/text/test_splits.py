"""Where a text is split: what is written, what it means, and that nothing is in two parts."""

import ast

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shakegen.text import splits
from shakegen.text.corpus import Corpus
from shakegen.text.windows import Passages


@pytest.mark.parametrize(
    ("written", "length", "sizes"),
    [
        ("0.9,0.05,0.05", 1000, (900, 50, 50)),
        ("0.5, 0.5, 0", 11, (6, 5, 0)),
        ("1,0,0", 10, (10, 0, 0)),
        ("*,0.05,0.05", 1000, (900, 50, 50)),
        ("0.9,*,0.05", 1000, (900, 50, 50)),
        ("90M,5M,5M", 100_000_000, (90_000_000, 5_000_000, 5_000_000)),
        ("90000000,5000000,5000000", 100_000_000, (90_000_000, 5_000_000, 5_000_000)),
        ("1.5k,1,1", 2000, (1500, 1, 1)),
        ("*,4.1M,8.2M", 100_000_000, (87_700_000, 4_100_000, 8_200_000)),
        ("*,8.3G,1k", 10_000_000_000, (1_699_999_000, 8_300_000_000, 1000)),
        ("*,30,20", 1000, (950, 30, 20)),
        ("100,rest,20", 1000, (100, 880, 20)),
        ("*,0,0", 7, (7, 0, 0)),
        ("10,20,30", 1000, (10, 20, 30)),
    ],
)
def test_shares_and_sizes(written, length, sizes):
    assert splits.compute_sizes(splits.parse(written), length) == sizes


@given(st.integers(1000, 10**9), st.tuples(*[st.floats(0, 1, exclude_min=True)] * 3))
def test_shares_use_every_character_once(length, weights):
    split = [weight / sum(weights) for weight in weights]
    try:
        found = splits.compute_sizes(split, length)
    except ValueError:
        assert round(length * split[0]) == 0
        return
    assert sum(found) == length
    assert min(found) >= 0
    assert np.allclose(np.divide(found, length), split, atol=1 / length)


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_sizes_are_kept_or_refused(train, validation, test, more):
    split, length = (train, validation, test), train + validation + test
    if length > 1:  # 1,0,0 are shares
        assert splits.compute_sizes(split, length + more) == split
        with pytest.raises(ValueError, match="too few for the split"):
            splits.compute_sizes(split, length - 1)
    assert splits.compute_sizes(("*", validation, test), train + validation + test) == (train, validation, test)


@pytest.mark.parametrize(
    ("split", "length", "unused", "shares", "rest"),
    [
        ((90, 5, 5), 93_000, "92,900", "0.9, 0.05, 0.05", '"*", 5, 5'),
        ((90, 5, 5), 101, "1", "0.9, 0.05, 0.05", '"*", 5, 5'),
        ((80, 20, 0), 150, "50", "0.8, 0.2, 0", '"*", 20, 0'),
        ((900, 50, 50), 2001, "1,001", "0.9, 0.05, 0.05", '"*", 50, 50'),
        ((20, 0, 0), 1000, "980", "1, 0, 0", '"*", 0, 0'),
    ],
)
def test_sizes_that_are_percentages_or_leave_most_of_a_text_unused_are_refused(split, length, unused, shares, rest):
    with pytest.raises(ValueError) as error:
        Corpus.from_text(("ab" * length)[:length], split=split)
    assert str(error.value) == (
        f"the split {','.join(map(str, split))} leaves {unused} of the {length:,} characters of the text unused: "
        f"expected shares, `split=({shares})`, or * for the rest, `split=({rest})`; to use only a part of a text, cut "
        "it first"
    )
    for proposed in ast.literal_eval(f"({shares})"), ast.literal_eval(f"({rest})"):
        assert Corpus.from_text(("ab" * length)[:length], split=proposed).characters == length


@pytest.mark.parametrize(("split", "length"), [((90, 5, 5), 100), ((900, 50, 50), 2000), ((90, 5, "*"), 5000)])
def test_sizes_that_use_half_of_a_text_or_more_are_meant(split, length):
    Corpus.from_text(("ab" * length)[:length], split=split)


@pytest.mark.parametrize(
    "split",
    ["0.5,0.5", "0.5,0.6,-0.1", "0.9,0.2,0.1", "0,0.5,0.5", "nan,0.5,0.5", "a,b,c", "", "*,*,0.5", "1.5M,0.5,2",
     "0,5,5", "10.5,5,5", "1e400,1,1", "0.0001k,1,1", "1,2,3,4", "-5,*,5"],
)  # fmt: skip
def test_unusable_split(split):
    with pytest.raises(ValueError) as error:
        splits.parse(split)
    assert str(error.value) == (
        f"the split {split} is not usable: expected three shares for training, validation and test that sum to 1, such "
        "as 0.9,0.05,0.05, or three numbers of characters, such as 90M,5M,5M or *,5000,5000, where * is the rest"
    )


@pytest.mark.parametrize(
    "split", [(0.5, 0.5), (0.5, 0.6, -0.1), (0, 0.5, 0.5), (float("nan"), 0.5, 0.5), ("1", 0, 0), (None, 1, 1)]
)
def test_unusable_split_from_python(split):
    with pytest.raises(ValueError) as error:
        Corpus.from_text("some text", split=split)
    assert str(error.value).startswith(f"the split {','.join(map(str, split))} is not usable: expected three shares")


@pytest.mark.parametrize(
    ("split", "part", "first", "last"),
    [
        ((90, 5, 5), "training", 1, 90),
        ((40, 5, 6), "test", 46, 51),
        ((40, "*", 20), "test", 41, 60),
        (("*", 30, 20), "training", 1, 1),
    ],
)
def test_a_text_too_short_for_a_part_says_which_and_why(split, part, first, last):
    with pytest.raises(ValueError) as error:
        Corpus.from_text("ab" * 25, split=split)
    assert str(error.value) == (
        f"the text has 50 characters, too few for the split {','.join(map(str, split))}: its {part} text would be "
        f"characters {first} to {last}; try a longer text or `split=(0.9, 0.05, 0.05)`"
    )


def test_a_part_too_short_to_predict_anything_is_refused_before_training():
    corpus = Corpus.from_text("ab" * 5)
    with pytest.raises(ValueError) as error:
        corpus.check_parts()
    assert str(error.value) == (
        "text has 10 characters, too few for the split 0.9,0.05,0.05: its validation text has 1 characters, and 2 are "
        "needed to predict one from the other; try a longer text, or `split=(1, 0, 0)`"
    )
    Corpus.from_text("ab" * 5, split=(1, 0, 0)).check_parts()


@pytest.mark.parametrize("split", [(0.6, 0.2, 0.2), (300, 100, 100), (300, "*", 100), (300, 20, 10)])
@pytest.mark.parametrize("level", ["char", "word"])
def test_every_position_is_in_one_part_at_most(split, level):
    """Each position of the text has a character, or a word, of its own."""
    marks = [chr(k) for k in range(0x4E00, 0x4E00 + 500)]
    corpus = Corpus.from_text("".join(marks), split=split, **({"level": level, "vocabulary_size": 600}))
    sizes = splits.compute_sizes(split, 500)
    assert [part.characters for part in corpus.parts] == list(sizes)
    assert corpus.vocabulary.decode(corpus.train) == "".join(marks[: sizes[0]])
    unknown = corpus.vocabulary.unknown  # marks of later parts are nowhere in the training text
    assert corpus.validation.tolist() == [unknown] * sizes[1]
    assert corpus.test.tolist() == [unknown] * sizes[2]


@pytest.mark.parametrize("options", [{"level": "word"}, {"vocabulary_size": 12}])
def test_what_comes_after_the_training_text_changes_nothing_in_it(poem, options):
    """Neither the vocabulary nor any id."""
    half = len(poem) // 2
    split = (half, half // 2, "*")
    one = Corpus.from_text(poem, split=split, **options)
    other = Corpus.from_text(poem[:half] + "1234 ÄÖÜ thee! " * half, split=split, **options)
    assert one.vocabulary == other.vocabulary
    assert np.array_equal(one.train, other.train)
    assert not np.array_equal(one.validation, other.validation)


@pytest.mark.parametrize("passage", [1, 5])
def test_no_training_window_sees_another_part(passage):
    corpus = Corpus.from_text("".join(map(chr, range(0x4E00, 0x4E00 + 900))), split=(0.5, 0.25, 0.25))
    batches = Passages(corpus.train, 7, 4, passage=passage)
    seen = {int(k) for number in range(5 * batches.steps) for k in batches.batch(number).ravel()}
    assert seen <= set(corpus.train.tolist())
    assert seen.isdisjoint([*corpus.validation.tolist(), *corpus.test.tolist()])
    assert len(seen) > 400
