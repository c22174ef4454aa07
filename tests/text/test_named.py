"""Texts with a name: the table of them, a path against a name; fetched once, verified, unpacked, kept."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from fetching import TEXT, ZIP, kept

from shakegen.text import load_corpus, named
from shakegen.text.catalog import open_source
from shakegen.text.reading import from_file


@pytest.mark.parametrize(("suffix", "content"), [(".txt", TEXT), (".zip", ZIP)])
def test_a_text_is_fetched_once_and_kept(offer, folder, suffix, content):
    server = offer(content, suffix=suffix)
    assert not named.is_here("mine")
    for _ in range(3):
        path = named.fetch_text("mine")
    assert named.fetch_text("mine", verify=True) == path == named.locate_text("mine") == folder / "mine.txt"
    assert path.read_bytes() == TEXT
    assert kept(folder) == ["mine.txt"]
    assert len(server.requests) == 1
    assert named.is_here("mine")
    (folder / "new").touch()
    assert path.stat().st_mode == (folder / "new").stat().st_mode, "all users of the folder can read it"


def test_a_damaged_text_is_fetched_again(offer, folder):
    server = offer(ZIP)
    path = named.fetch_text("mine")
    path.write_bytes(TEXT[:-1])
    assert named.fetch_text("mine").read_bytes() == TEXT, "another size is noticed at once"
    path.write_bytes(TEXT[::-1])
    assert named.fetch_text("mine", verify=True).read_bytes() == TEXT, "other bytes once they are verified"
    assert len(server.requests) == 3


@pytest.mark.parametrize("name", ["mine.zip", "mine.txt"])
def test_a_file_that_was_put_there_by_hand_is_used(offer, folder, name):
    server = offer(ZIP, 404)
    folder.mkdir(parents=True)
    (folder / name).write_bytes(ZIP if name == "mine.zip" else TEXT)
    assert named.fetch_text("mine", verify=True).read_bytes() == TEXT
    assert server.requests == []


def test_progress_is_shown_up_to_the_size(offer, monkeypatch):
    shown = []
    monkeypatch.setattr(named, "progress_bar", lambda *_: contextlib.nullcontext(shown.append))
    offer(TEXT, suffix=".txt")
    named.fetch_text("mine")
    assert shown == sorted(shown)
    assert len(shown) > 2
    assert shown[-1] == len(TEXT)


def test_what_fetches_is_loaded_only_to_fetch():
    code = (
        "import sys; from shakegen.text import catalog, named; named.fetch_text('sonnets')\n"
        "print({'pooch', 'requests', 'urllib3', 'filelock', 'rich'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "set()\n"


def test_names_that_are_none(folder):
    for ask in (named.fetch_text, named.locate_text, named.is_here):
        with pytest.raises(ValueError) as error:
            ask("bible")
        assert (
            str(error.value) == "there is no corpus 'bible': expected one of sonnets, warpeace, tinyshakespeare, text8"
        )


@pytest.mark.parametrize("name", ["sonnets", "warpeace"])
def test_the_texts_that_ship_are_what_the_table_says(name, folder):
    text, path = named.NAMED[name], named.fetch_text(name)
    assert named.is_here(name)
    assert path.stat().st_size < 2_000_000
    content = "".join(from_file(path).blocks()).encode()
    assert len(content) == text.size
    assert named.matches(content, text)


@pytest.mark.parametrize("name", ["sonnets", "warpeace"])
def test_a_text_that_ships_is_verified(name, tmp_path, monkeypatch):
    original = named.locate_text(name)
    assert named.fetch_text(name, verify=True) == original
    monkeypatch.setattr(named, "data_folder", lambda kind: tmp_path)
    damaged = tmp_path / original.name
    for content in (None, b"", original.read_bytes()[:-9]):
        if content is not None:
            damaged.write_bytes(content)
        with pytest.raises(ValueError) as error:
            named.fetch_text(name, verify=True)
        assert str(error.value) == f"{damaged} is not as it came with shakegen: install shakegen again"


def test_every_text_to_fetch_is_pinned():
    for text in named.NAMED.values():
        if text.download is not None:
            assert len(bytes.fromhex(text.download.sha256)) == 32
            assert text.download.size <= text.size
            assert Path(text.download.url).suffix in (".txt", ".zip")


def test_a_path_is_a_file_and_a_name_is_a_corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sonnets").write_text("my own text\n" * 10)
    Path("-").write_text("my own text\n" * 10)
    for place in (Path("sonnets"), Path("./sonnets"), "./sonnets", tmp_path / "sonnets", Path("-"), "./-"):
        assert load_corpus(place).characters == 120
        assert load_corpus([place, place]).characters == 240
    assert load_corpus("sonnets").characters == named.NAMED["sonnets"].size
    Path("sonnets").unlink()
    with pytest.raises(FileNotFoundError, match="no file sonnets: "):
        load_corpus(Path("sonnets"))


def test_a_missing_text_is_asked_about_by_its_spelling(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("poems.txt", "novel.txt", "novel.md"):
        (tmp_path / name).write_text("a")
    asked = {"tinyshakespear": "tinyshakespeare", "poem.txt": "poems.txt", "./poem": "poems.txt"}
    for place, wanted in {**asked, "novl.txt": "novel.md or novel.txt"}.items():
        with pytest.raises(FileNotFoundError) as error:
            open_source(place)
        assert str(error.value) == f"no file {place}: did you mean {wanted}? (see `shakegen corpora list`)"
    for place in ("x", Path("poem/of/mine.txt"), Path("sonnets")):
        with pytest.raises(FileNotFoundError, match="expected a text file or the name of a corpus"):
            open_source(place)
