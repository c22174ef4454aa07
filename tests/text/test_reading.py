"""Texts from files, folders, patterns, archives and pipes; bad ones are one line."""

import bz2
import gzip
import io
import lzma
import os
import re
import struct
import threading
import zipfile

import pytest

from shakegen.text.reading import concatenate, from_bytes, from_file, from_path, unpacking
from shakegen.text.reading.places import from_pipe
from shakegen.text.reading.source import from_opener

TEXT = "Où sont les neiges\nd'antan?\n"
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def text_of(source) -> str:
    """The text of a source, which is the same each time."""
    first, again = "".join(source.blocks()), "".join(source.blocks())
    assert first == again
    return first


def zipped(members: dict, method=zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def fails(raw: bytes) -> str:
    with pytest.raises(ValueError) as error:
        text_of(from_bytes(raw, title="it"))
    return str(error.value)


@pytest.fixture
def folder(tmp_path):
    """A folder with texts at several depths, and things that are no texts."""
    (tmp_path / "texts" / "b").mkdir(parents=True)
    (tmp_path / "texts" / ".git").mkdir()
    files = {
        "z.txt": b"last",
        "a.txt": b"first\n",
        "b/c.md": b"second, without a line end",
        "b/packed.txt.gz": gzip.compress(b"packed\r\n"),
        "b/empty.txt": b"",
        "b/picture.gz": gzip.compress(b"\x89PNG\0\1\2"),
        "b/two.zip": zipped({"2": "two\n", "1": "one", "0.png": b"\x89PNG\0\1"}),
        "b/no-text.zip": zipped({"1.png": b"\0", "0.png": b"\x89PNG\0\1"}),
        "letter.docx": zipped({"word.xml": "<p>Dear</p>"}),
        "picture.png": b"\x89PNG\r\n\x1a\n\0\0",
        ".hidden": b"hidden\n",
        ".git/config": b"hidden\n",
    }
    for name, content in files.items():
        (tmp_path / "texts" / name).write_bytes(content)
    return tmp_path / "texts"


def test_a_folder_is_its_texts_in_the_order_of_their_paths(folder, caplog):
    source = from_path(folder)
    assert source.name == "texts"
    assert text_of(source) == "first\nsecond, without a line end\npacked\none\ntwo\nlast"
    assert caplog.messages == [
        f"{folder}/b/no-text.zip: left out 2 not text (0.png, 1.png)",
        f"{folder}/b/two.zip: left out 1 not text (0.png)",
        f"{folder}: left out 4 not text (b/no-text.zip, b/picture.gz, letter.docx, picture.png), 2 hidden",
    ]


def test_a_pattern_is_what_it_matches_in_sorted_order(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    source = from_path("texts/*.txt")
    assert source.name == "a+1"
    assert source.title == "texts/a.txt and 1 more"
    assert text_of(source) == "first\nlast"
    assert text_of(from_path("texts/**/*.md")) == "second, without a line end"
    assert text_of(from_path("text*/**")) == text_of(from_path("texts")), "what is in a folder that matches, but once"


def test_a_file_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / "a[1].txt").write_text("this one")
    assert text_of(from_path(tmp_path / "a[1].txt")) == "this one"


@pytest.mark.parametrize("kind", PACKERS)
def test_compressed_texts_are_known_by_their_content(tmp_path, kind):
    for name in (f"novel.txt.{kind}", f"novel.{kind}", "novel.txt"):
        path = tmp_path / name
        path.write_bytes(PACKERS[kind](TEXT.encode()))
        source = from_path(path)
        assert (source.name, text_of(source)) == ("novel", TEXT)


def test_a_compressed_text_may_be_in_several_pieces_and_in_any_encoding():
    raw = gzip.compress(TEXT[:5].encode("utf-16-le")) + gzip.compress(TEXT[5:].encode("utf-16-le"))
    assert text_of(from_bytes(raw, encoding="utf-16-le")) == TEXT


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_archive_is_its_texts_in_the_order_of_their_names(caplog, method):
    members = {"b/two.txt": "two", "a.txt": "one\n", "b/": "", "c.bin": b"\0", ".DS_Store": b"\0", "b/.x": "x"}
    assert text_of(from_bytes(zipped(members, method), title="it")) == "one\ntwo"
    assert caplog.messages == ["it: left out 1 not text (c.bin), 2 hidden"]


def test_line_ends_between_texts_are_added_only_where_there_is_none():
    texts = [b"", b"one", b"", b"two\r\n", b"\xef\xbb\xbf\nthree\r", b"four"]
    assert text_of(concatenate([from_bytes(text) for text in texts])) == "one\ntwo\n\nthree\nfour"


def test_a_digest_tells_all_that_shapes_a_text():
    texts = [[b"ab", b"c"], [b"a", b"bc"], [b"abc"], [b"c", b"ab"]]
    digests = [concatenate([from_bytes(text) for text in several]).digest() for several in texts]
    digests += [from_bytes(b"abc", encoding="latin-1").digest()]
    assert len(set(digests)) == len(digests)
    assert from_bytes(b"abc", "other").digest() == from_bytes(b"abc", encoding="UTF8").digest() == digests[2]


def test_a_pipe_can_be_read_again_in_several_places_at_once():
    text = "".join(f"line {k} é\n" for k in range(200_000))
    source = from_pipe(io.BytesIO(text.encode()), "stdin", "standard input")
    one, other = source.blocks(), source.blocks()
    begun = next(one)
    assert "".join(other) == text == begun + "".join(one)
    assert text_of(from_pipe(io.BytesIO(zipped({"a": "one", "b": "two"})), "stdin", "it")) == "one\ntwo"


def test_a_named_pipe_is_read_once_and_kept(tmp_path):
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_text(TEXT, encoding="utf-8"))
    writer.start()
    source = from_path(path)
    writer.join()
    assert (source.name, text_of(source)) == ("pipe", TEXT)


@pytest.mark.parametrize("kind", PACKERS)
def test_a_bomb_is_left_before_it_is_all_there(kind, monkeypatch):
    monkeypatch.setattr(unpacking, "ALWAYS_ALLOWED", 1000)
    assert fails(PACKERS[kind](b"a" * (5 << 20))) == (
        "it unpacks to more than 250 times its size: expected a text; if it is one, unpack it first"
    )


def test_a_bomb_of_many_members_is_refused_before_any_is_read(monkeypatch):
    monkeypatch.setattr(unpacking, "ALWAYS_ALLOWED", 1000)
    message = fails(zipped({str(k): b"a" * (1 << 18) for k in range(20)}))
    assert message == "it unpacks to more than 250 times its size: expected a text; if it is one, unpack it first"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "..\\x", "\\x", "\x1b[2J"])
def test_a_member_whose_name_leads_out_of_its_archive_or_fools_a_terminal(name):
    assert fails(zipped({"a.txt": "text", name: "text"})) == (
        f"it has a member {name!r}, which is no plain name: unpack it with care, and give the text itself"
    )


def test_an_encrypted_archive():
    raw = bytearray(zipped({"a.txt": "text"}))
    raw[raw.index(b"PK\1\2") + 8] |= 1
    assert fails(bytes(raw)) == "it is encrypted: unpack it, and give the text itself"


@pytest.mark.parametrize("name", ["[Content_Types].xml", "META-INF/manifest.xml", "META-INF/container.xml"])
def test_a_document_of_an_office_program_is_no_archive_of_texts(name):
    assert fails(zipped({name: "<?xml version='1.0'?>", "word/document.xml": "<w:t>Dear</w:t>"})) == (
        "it is an office document or an e-book: save it as plain text, and give the text"
    )


def test_an_archive_without_a_text():
    raw = zipped({"a.png": b"\0\1", "b.png": b"\0\1"})
    assert fails(raw) == "it holds no text: expected one text file or more in it"
    assert fails(zipped({})) == "it holds no text: expected one text file or more in it"


LONG = bytes(range(32, 127)) * 2000
WRONG = {
    "gz, cut": gzip.compress(LONG)[:-100],
    "gz, checksum": gzip.compress(LONG)[:-8] + b"\0" * 8,
    "gz, content": gzip.compress(LONG)[:50] + b"\xff" * 50,
    "gz, more": gzip.compress(LONG) + b"more",
    "bz2, cut": bz2.compress(LONG)[:-100],
    "bz2, content": bz2.compress(LONG)[:50] + b"\xff" * 50,
    "xz, cut": lzma.compress(LONG)[:-20],
    "xz, content": lzma.compress(LONG)[:30] + b"\xff" * 50,
    "zip, cut": zipped({"a": LONG})[:-30],
    "zip, content": zipped({"a": LONG}, zipfile.ZIP_STORED).replace(b'!"#', b'#"!'),
    "zip, method": zipped({"a": LONG}).replace(b"PK\1\2\x14\3\x14\0\0\0\x08", b"PK\1\2\x14\3\x14\0\0\0\x63"),
}


@pytest.mark.parametrize("raw", WRONG.values(), ids=WRONG)
def test_damaged_archives_are_one_line(raw):
    message = fails(raw)
    assert message.startswith(("it is damaged: ", "it/a is damaged: "))
    assert message.endswith("; expected a whole archive: fetch or make it again")
    assert "\n" not in message


SHORT = [pack(LONG[:500]) for pack in PACKERS.values()] + [zipped({"é": LONG[:500], "b": "b"})]


@pytest.mark.parametrize("packed", SHORT, ids=[*PACKERS, "zip"])
def test_whatever_bytes_are_wrong_it_is_a_text_or_one_line(packed, rng):
    messages = []
    for _ in range(400):
        raw = bytearray(packed)
        for place in rng.integers(0, len(raw), rng.integers(1, 4)):
            raw[place] = rng.integers(0, 256)
        try:
            text_of(from_bytes(bytes(raw[: rng.choice([len(raw), place + 1])]), title="it"))
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) > 200
    assert [message for message in messages if not re.match("it(/.*)? (is|has|holds|unpacks) ", message)] == []


def test_places_without_a_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("none.txt", "*.txt"):
        with pytest.raises(FileNotFoundError) as error:
            from_path(path)
        assert str(error.value) == (
            f"no file {path}: expected a text file or the name of a corpus (see `shakegen corpora list`)"
        )
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError) as error:
        from_path("empty")
    assert str(error.value) == "empty holds no text: expected one text file or more in it"


def test_a_text_in_another_encoding_in_a_folder_is_not_passed_over(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"plain")
    (tmp_path / "b.txt").write_bytes(
        "d\u00e9j\u00e0 vu, na\u00efvet\u00e9, cr\u00e8me br\u00fbl\u00e9e".encode("latin-1")
    )
    with pytest.raises(ValueError, match=r"b\.txt is not utf-8 text \(byte offset 1\): try `encoding=") as error:
        text_of(from_path(tmp_path))
    named, shown = str(error.value).partition("try `encoding='")[2].split("'`, in which there is ")
    assert repr((tmp_path / "b.txt").read_bytes()[:13].decode(named)) == shown, "people see whether it is right"
    (tmp_path / "c.txt").write_text("wide", encoding="utf-16")
    (tmp_path / "b.txt").unlink()
    with pytest.raises(ValueError, match=r"c\.txt has a zero byte .*: try `encoding='utf-16'`$"):
        text_of(from_path(tmp_path))


def test_a_text_that_cannot_be_decoded_leaves_no_file_open():
    opened = []

    def opener():
        opened.append(io.BytesIO(b"caf\xe9" * 9))
        return opened[-1]

    blocks = from_opener("cafe", "cafe", opener).blocks()
    with pytest.raises(ValueError) as error:
        list(blocks)
    assert str(error.value).startswith("cafe is not utf-8 text (byte offset 3): ")
    assert all(file.closed for file in opened)


def test_a_device_is_no_text_file():
    with pytest.raises(OSError) as error:
        from_file("/dev/null")
    assert str(error.value) == ("/dev/null is a pipe or a device: expected a text file; `open_source` reads those, too")


def test_a_member_far_outside_of_an_archive_is_refused():
    raw = zipped({"a": "text"})
    entry, end = raw.index(b"PK\1\2"), raw.index(b"PK\5\6")
    head, name = bytearray(raw[entry : entry + 46]), raw[entry + 46 : end]
    head[30:32], head[42:46] = struct.pack("<H", 12), b"\xff" * 4
    tail = bytearray(raw[end:])
    tail[12:16] = struct.pack("<I", end - entry + 12)
    far = raw[:entry] + bytes(head) + name + struct.pack("<HHQ", 1, 8, 1 << 63) + bytes(tail)
    assert fails(far).startswith("it/a is damaged: ")
