import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shakegen.text.corpus import Corpus
from shakegen.text.vocabulary import UnknownCharacters, Vocabulary

TEXTS = {
    "chinese": "床前明月光,疑是地上霜。\n举头望明月,低头思故乡。\n",
    "emoji": "👩‍👩‍👧 says 👍🏽\n",
    "combining": "e\u0301 is not \u00e9\n",
    "right to left": "שלום עולם\nمرحبا\n",
    "controls": "tab\t and form feed\f\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_unicode_text_comes_back_from_its_ids(text):
    corpus = Corpus.from_text(text)
    assert corpus.vocabulary.decode(corpus.ids) == text


@given(st.text(min_size=1).filter(lambda text: "\r" not in text))
def test_encoding_is_inverted_by_decoding(text):
    vocabulary = Vocabulary(set(text))
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_ids_are_places_in_the_order_of_code_points():
    corpus = Corpus.from_text("banana\n")
    assert corpus.vocabulary.symbols == ("\n", "a", "b", "n")
    assert corpus.ids.tolist() == [2, 1, 3, 1, 3, 1, 0]


@pytest.mark.parametrize(("symbols", "size"), [(2, 1), (256, 1), (257, 2), (65_537, 4)])
def test_ids_are_as_small_as_the_vocabulary_allows(symbols, size):
    text = "".join(map(chr, range(0x10000, 0x10000 + symbols)))
    corpus = Corpus.from_text(text)
    assert corpus.ids.dtype.itemsize == size
    assert corpus.ids.tolist() == list(range(symbols))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encoding_and_line_ends_of_the_file_do_not_matter(tmp_path, encoding, line_end):
    text = "caf\u00e9\nna\u00efve\n"
    path = tmp_path / "text.txt"
    path.write_bytes(text.replace("\n", line_end).encode(encoding))
    corpus = Corpus.from_file(path, "utf-8" if encoding == "utf-8-sig" else encoding)
    assert corpus.vocabulary.decode(corpus.ids) == text
    assert corpus.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_ascii_and_other_text_take_different_ways_to_the_same_ids():
    text = "One line.\r\nAnd another.\r" * 3
    ascii_only = Corpus.from_bytes(text.encode("ascii"))
    decoded = Corpus.from_bytes(text.encode("utf-16"), encoding="utf-16")
    assert ascii_only.vocabulary == decoded.vocabulary
    assert np.array_equal(ascii_only.ids, decoded.ids)
    assert ascii_only.sha256 == decoded.sha256


def test_line_end_across_the_blocks_in_which_a_text_is_decoded():
    text = "é" * (1 << 20)
    raw = (text[:-1] + "\r\n" + text).encode()
    corpus = Corpus.from_bytes(raw)
    assert corpus.vocabulary.decode(corpus.ids) == text[:-1] + "\n" + text


def test_parts_are_contiguous_and_complete():
    corpus = Corpus.from_text("".join(map(chr, range(33, 533))), split=(0.5, 0.3, 0.2))
    assert np.concatenate([corpus.train, corpus.validation, corpus.test]).tolist() == corpus.ids.tolist()
    assert (len(corpus.train), len(corpus.validation), len(corpus.test)) == (250, 150, 100)


BAD_BYTES = {
    b"": "the text is empty: expected some text to learn from",
    b"aaaa": "the text has only one distinct character, 'a' (U+0061): there is nothing to predict in it",
    "Où sont les neiges d'antan? C'est là où la pensée s'arrête, déçue, près de la forêt.".encode(
        "latin-1"
    ): "the text is not utf-8 text (byte offset 1): try `encoding='cp1252'`, in which there is 'Où sont les n'",
    "shall i".encode(
        "utf-16"
    ): "the text has a zero byte (byte offset 3), so it is not utf-8 text: try `encoding='utf-16'`",
    b"\x00\x01\x02\xff" * 9: "the text has a zero byte (byte offset 0), so it is not utf-8 text: "
    "expected a text file; if it is one, name its `encoding`",
    b"\xff\xd8\xff\xe0\x00\x10JFIF": "the text has a zero byte (byte offset 4), so it is not utf-8 text: "
    "expected a text file; if it is one, name its `encoding`",
}


@pytest.mark.parametrize(("raw", "message"), BAD_BYTES.items())
def test_bytes_that_are_no_text(raw, message):
    with pytest.raises(ValueError) as error:
        Corpus.from_bytes(raw)
    assert str(error.value) == message


def test_undecodable_byte_far_into_the_text_is_found():
    raw = "é".encode() * (1 << 20) + b"\xff" + b"abc"
    with pytest.raises(ValueError, match=rf"not utf-8 text \(byte offset {2 << 20}\): "):
        Corpus.from_bytes(raw)


@pytest.mark.parametrize("encoding", ["utf-9", "hex", "a\udcff", ""])
def test_encoding_that_does_not_exist(encoding):
    with pytest.raises(ValueError) as error:
        Corpus.from_bytes(b"abc", encoding=encoding)
    assert str(error.value) == (
        f"there is no encoding {encoding!r}: expected a name such as utf-8, utf-16, latin-1 or windows-1252"
    )


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        Corpus.from_file(tmp_path / "nothing.txt")
    assert str(error.value) == (
        f"no file {tmp_path}/nothing.txt: expected a text file or the name of a corpus (see `shakegen corpora list`)"
    )
    with pytest.raises(IsADirectoryError) as error:
        Corpus.from_file(tmp_path)
    assert str(error.value) == f"{tmp_path} is a folder: expected a text file"


def test_unknown_characters_are_named_with_their_code_points():
    vocabulary = Vocabulary("abc")
    with pytest.raises(UnknownCharacters) as error:
        vocabulary.encode("abc é\u200d")
    assert error.value.characters == [" ", "é", "\u200d"]
    assert str(error.value) == (
        r"the model never saw ' ' (U+0020), 'é' (U+00E9), '\u200d' (U+200D): "
        "use characters of its training text, or skip the unknown ones (`on_unknown='skip'`)"
    )
    assert vocabulary.encode("a b\udc80c", on_unknown="skip").tolist() == [0, 1, 2]


@pytest.mark.parametrize("symbols", [[], ["ab"], ["a", "a"], [""], [5]])
def test_symbols_that_are_no_vocabulary(symbols):
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary(symbols)


@pytest.mark.parametrize(
    ("text", "size", "symbols"), [("aaabbc", 3, "ab"), ("aaabbc", 2, "a"), ("cba", 3, "ab"), ("ab" * 9 + "é", 9, "abé")]
)
def test_a_vocabulary_of_a_size_keeps_the_most_frequent_characters(text, size, symbols):
    corpus = Corpus.from_text(text, vocabulary_size=size, split=(1, 0, 0))
    assert corpus.vocabulary == Vocabulary(symbols, unknown=True)
    assert len(corpus.vocabulary) == len(symbols) + 1
    shown = "".join(c if c in symbols else "\ufffd" for c in text)
    assert corpus.vocabulary.decode(corpus.ids) == shown


@given(st.text(), st.sets(st.characters(), min_size=1), st.sampled_from(["skip", "symbol"]))
def test_each_character_is_known_or_unknown(text, symbols, on_unknown):
    vocabulary = Vocabulary(symbols, unknown=True)
    known = ["\ufffd" if c not in symbols else c for c in text if c in symbols or on_unknown == "symbol"]
    assert vocabulary.decode(vocabulary.encode(text, on_unknown)) == "".join(known)
    reading = vocabulary.read([text[:3], text[3:]], on_unknown)
    assert (reading.characters, reading.first) == (len(known), min(1, len(known)))
    assert len(reading.spelling) == sum(c not in symbols for c in text) * (on_unknown == "symbol")
    assert np.allclose(np.exp(-reading.spelling) * (0x110000 - len(symbols)), 1)


@pytest.mark.parametrize("symbols", [255, 256, 300])
@pytest.mark.parametrize("unknown", [False, True])
def test_blocks_of_any_kind_give_the_ids_of_the_whole(symbols, unknown):
    vocabulary = Vocabulary(map(chr, range(65, 65 + symbols)), unknown)
    blocks = ["ABC", "", "é", "z" * 5]
    ids = [ids for ids, _ in vocabulary.encode_blocks(blocks)]
    assert np.array_equal(np.concatenate(ids), vocabulary.encode("".join(blocks)))
    assert np.array_equal(np.concatenate(ids), [ord(c) - 65 for c in "".join(blocks)])


MISTAKES = {
    "on_unknown is 'drop': expected one of 'error', 'skip', 'symbol'": lambda: Vocabulary("ab").encode("a", "drop"),
    "this model has no unknown symbol (`on_unknown='symbol'`): expected error or skip, or a model trained with "
    "`vocabulary_size`": lambda: Vocabulary("ab").encode("a", "symbol"),
    "there is no level 'letter': expected one of char, subword, word": lambda: Corpus.from_text("abc", level="letter"),
    "the vocabulary size is 1: expected 2, a character and the unknown symbol, to 1,048,576": lambda: Corpus.from_text(
        "abc", vocabulary_size=1
    ),
    "the vocabulary size is 2000000: expected 2, a word and the unknown symbol, to 1,048,576": lambda: Corpus.from_text(
        "abc", level="word", vocabulary_size=2_000_000
    ),
}


@pytest.mark.parametrize(("message", "make"), MISTAKES.items())
def test_mistakes(message, make):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["a\ud800b", "abc\0def", "BZh91AY&SY ab", "\x1f\x8b ab"])
def test_a_string_is_read_as_it_is(text):
    corpus = Corpus.from_text(text * 9)
    assert corpus.vocabulary.decode(corpus.ids) == text * 9


def test_a_string_has_the_line_ends_of_a_file():
    text = "a\r\nb\rc\n" * 9
    assert Corpus.from_text(f"\ufeff{text}").ids.tolist() == Corpus.from_bytes(text.encode()).ids.tolist()


def test_numbers_of_numpy_are_those_of_python(poem_file):
    plain = Corpus.from_file(poem_file, vocabulary_size=9, split=(0.75, 0.25, 0.0))
    given = Corpus.from_file(poem_file, vocabulary_size=np.int64(9), split=np.array([0.75, 0.25, 0], np.float32))
    assert json.dumps(given.origin()) == json.dumps(plain.origin())
    assert given.vocabulary == plain.vocabulary
