"""The texts that ship."""

from shakegen.text.catalog import load_corpus
from shakegen.text.named import locate_text


def test_all_154_sonnets_are_there():
    text = locate_text("sonnets").read_bytes()
    assert text.isascii()
    poems = [poem.split("\n") for poem in text.decode().removesuffix("\n").split("\n\n")]
    assert len(poems) == 154
    assert {number: len(lines) for number, lines in enumerate(poems, 1) if len(lines) != 14} == {99: 15, 126: 12}
    verses = [line for lines in poems for line in lines]
    assert len(verses) == 2155
    assert all(line == line.strip() and len(line) > 20 for line in verses)
    assert not any(character.isdigit() for line in verses for character in line)
    assert len(set(verses)) > 2140, "a poem stands there twice"


def test_sonnets_load_by_name():
    corpus = load_corpus("sonnets")
    assert corpus.name == "sonnets"
    assert corpus.vocabulary.decode(corpus.ids).startswith("From fairest creatures we desire increase,\n")
    assert corpus.vocabulary.decode(corpus.test).endswith("\n")
