"""Reshaping a text while it is read: the same, wherever its blocks begin."""

import pytest
from hypothesis import given, strategies as st

from shakegen.text.reading import Source, concatenate, from_bytes, from_file, normalize_source
from shakegen.text.reading.normalising import LONGEST_WORD, lower_blocks, text8

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEXTS = st.text(st.characters() | st.sampled_from("abcXYZ 0129  \n'ΑΣσİK"), max_size=60)


def text8_by_character(text: str) -> str:
    """Mahoney's rules, a character at a time."""
    done = ""
    for character in text:
        if character in "0123456789":
            new = f" {NAMES[int(character)]} "
        elif character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            new = chr(ord(character) + 32)
        else:
            new = character if character in "abcdefghijklmnopqrstuvwxyz" else " "
        done += new[1:] if done.endswith(" ") and new[0] == " " else new
    return done


@given(st.lists(TEXTS.filter(bool), max_size=5))
def test_text8_is_what_the_rules_say_wherever_blocks_begin(blocks):
    done = "".join(text8(blocks))
    assert done == text8_by_character("".join(blocks))
    assert "".join(text8([done] if done else [])) == done


@given(st.lists(TEXTS.filter(bool), max_size=5))
def test_lower_case_is_that_of_the_whole_text_wherever_blocks_begin(blocks):
    assert "".join(lower_blocks(blocks)) == "".join(blocks).lower()


def test_lower_case_in_a_text_without_ends_of_words_needs_no_more_than_a_block():
    blocks = ["A" * (LONGEST_WORD + k) for k in range(1, 5)]
    assert list(lower_blocks(blocks)) == [block.lower() for block in blocks]


def test_a_text_of_text8_is_left_as_it_is():
    text = " anarchism originated as a term of abuse first used against early working class radicals "
    assert "".join(text8([text[:30], text[30:]])) == text


def test_a_source_is_normalised_each_time_it_is_read_and_says_so_in_its_digest(tmp_path):
    path = tmp_path / "year.txt"
    path.write_text("In 1984,\r\nÉmile", encoding="utf-8")
    plain = from_file(path)
    lower, reshaped = normalize_source(plain, lowercase=True), normalize_source(plain, normalize="text8")
    for _ in range(2):
        assert "".join(lower.blocks()) == "in 1984,\némile"
        assert "".join(reshaped.blocks()) == "in one nine eight four mile"
    assert normalize_source(plain) is plain
    both = normalize_source(plain, lowercase=True, normalize="text8")
    assert len({source.digest() for source in (plain, lower, reshaped, both)}) == 4
    assert {source.name for source in (plain, lower, reshaped, both)} == {"year"}


def test_a_normalisation_that_does_not_exist():
    with pytest.raises(ValueError) as error:
        normalize_source(from_bytes(b"abc"), normalize="text9")
    assert str(error.value) == "there is no normalisation 'text9': expected text8"


def test_empty_blocks_change_nothing():
    assert [*text8(["", "A", "", "b", ""])] == ["a", "b"]
    texts = [Source("", "", lambda: iter(["", "a", ""]), str), Source("", "", lambda: iter([""]), str)]
    assert "".join(concatenate(texts).blocks()) == "a"
