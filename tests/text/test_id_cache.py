"""The ids of large texts: found again, noticed when stale, and never in the way of a run."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import shakegen
from shakegen.text import corpus, id_cache, reading
from shakegen.text.corpus import Corpus

LEVELS = [{}, {"vocabulary_size": 20}, {"level": "word"}, {"split": (1000, "*", 100)}]


@pytest.fixture(autouse=True)
def small_texts_too(monkeypatch):
    monkeypatch.setattr(corpus, "LEAST_CACHED", 100)


def entries():
    return sorted(id_cache.folder().glob("*"))


def same(one, other):
    assert (one.vocabulary, one.sha256, one.split, one.parts) == (
        other.vocabulary, other.sha256, other.split, other.parts
    )  # fmt: skip
    assert one.ids.dtype == other.ids.dtype
    return np.array_equal(one.ids, other.ids)


def mapped(ids) -> bool:
    while isinstance(ids, np.ndarray) and not isinstance(ids, np.memmap):
        ids = ids.base
    return isinstance(ids, np.memmap)


@pytest.mark.parametrize("options", LEVELS, ids=str)
def test_a_second_start_finds_what_the_first_made(poem_file, options, monkeypatch):
    plain = Corpus.from_file(poem_file, cache=False, **options)
    assert not id_cache.folder().exists()
    first = Corpus.from_file(poem_file, **options)
    monkeypatch.setattr("shakegen.text.encoding.measure", None)  # nothing is read a second time
    second = Corpus.from_file(poem_file, **options)
    assert same(plain, first)
    assert same(plain, second)
    assert not mapped(plain.ids)
    assert mapped(first.ids)
    assert mapped(second.ids)
    assert not second.ids.flags.writeable
    assert not plain.ids.flags.writeable


def test_other_options_and_texts_are_other_entries(poem_file):
    for options in LEVELS:
        Corpus.from_file(poem_file, **options)
    Corpus.from_source(reading.normalize_source(reading.from_file(poem_file), lowercase=True))
    assert len(entries()) == len(LEVELS) + 1
    before = Corpus.from_file(poem_file)
    poem_file.write_text(poem_file.read_text().replace("thee", "them"))
    after = Corpus.from_file(poem_file)
    assert len(entries()) == len(LEVELS) + 2
    assert "them" in after.vocabulary.decode(after.ids)
    assert "thee" in before.vocabulary.decode(before.ids)


@pytest.mark.parametrize(
    ("module", "rule", "other", "options"),
    [
        ("word_vocabulary.py", "{1,4}", "{1,3}", "level='word', vocabulary_size=99"),
        ("reading/normalising.py", 'bytes(c if c in KEPT else ord(" ")', 'bytes(c if c in KEPT else ord("a")', ""),
        ("reading/decoding.py", 'removeprefix("\\ufeff")', 'removeprefix("S")', ""),
    ],
    ids=["words", "normalising", "decoding"],
)
def test_ids_by_other_rules_are_not_found_again(tmp_path, poem, cache_folder, module, rule, other, options):
    """A copy of the package, changed after a first run."""
    package = tmp_path / "shakegen"
    shutil.copytree(Path(shakegen.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "poem.txt").write_text("Sonnet 12345\n" * 9 + poem)
    program = (
        "from shakegen.text import corpus, open_source\ncorpus.LEAST_CACHED = 100\n"
        "source = open_source('poem.txt', normalize='text8' if 'normalising' in __import__('sys').argv[1] else None)\n"
        f"make = lambda **more: corpus.Corpus.from_source(source, {options or 'vocabulary_size=20'}, **more)\n"
        "print(make().vocabulary.to_json(), *make().ids)\nassert list(make().ids) == list(make(cache=False).ids)"
    )

    def ids():
        command = [sys.executable, "-B", "-c", program, module]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    before = ids()
    path = package / "text" / module
    assert rule in path.read_text()
    path.write_text(path.read_text().replace(rule, other))
    assert ids() != before


def test_a_text_that_changes_while_it_is_read_is_noticed(poem_file):
    source, reads = reading.from_file(poem_file), 0

    def blocks():
        nonlocal reads
        reads += 1
        if reads == 2:
            poem_file.write_text(poem_file.read_text().replace("thee", "them"))
        return source.blocks()

    with pytest.raises(ValueError) as error:
        Corpus.from_source(reading.Source(source.name, source.title, blocks, source.digest))
    assert str(error.value) == f"{poem_file} changed while it was read: expected a text that stays as it is; try again"
    assert entries() == []


def test_small_texts_are_not_kept(poem_file, monkeypatch):
    monkeypatch.setattr(corpus, "LEAST_CACHED", 1 << 20)
    Corpus.from_file(poem_file)
    assert not id_cache.folder().exists()


def rewritten(content: bytes, **changes) -> bytes:
    """An entry with another description, its digest and length as they must be: what someone hostile would write."""
    _, length = id_cache.TAIL.unpack(content[-id_cache.TAIL.size :])
    end = len(content) - id_cache.TAIL.size - length
    description = json.dumps(json.loads(content[end : end + length]) | changes).encode()
    tail = id_cache.TAIL.pack(id_cache.hashlib.sha256(description).digest(), len(description))
    return content[:end] + description + tail


DAMAGE = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[:-1],
    "cut shorter": lambda content: content[: len(content) // 2],
    "other magic": lambda content: b"shakegen ids 02\n" + content[16:],
    "something else": lambda content: b"PK" * 5000,
    "a flipped id": lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:],
    "a flipped description": lambda content: content[:-60] + bytes([content[-60] ^ 1]) + content[-59:],
    "a flipped length": lambda content: content[:-1] + b"\xff",
    "no list of symbols": lambda content: rewritten(content, vocabulary={"a": 1}),
    "other symbols": lambda content: rewritten(content, vocabulary=["a", "b"]),
    "numbers as symbols": lambda content: rewritten(content, vocabulary=[1, 2, 3]),
    "too small a vocabulary": lambda content: rewritten(content, vocabulary_size=3),
    "no size": lambda content: rewritten(content, vocabulary_size="many"),
    "objects as ids": lambda content: rewritten(content, dtype="|O"),
    "other ids": lambda content: rewritten(content, dtype="<u2"),
    "no level": lambda content: rewritten(content, level=["word"]),
    "other parts": lambda content: rewritten(content, parts=[[1, 1, 0], [1, 1, 0], [1, 1, 0]]),
    "negative parts": lambda content: rewritten(content, parts=[[-1, 1, 0], [1, 1, 0], [2431, 1, 0]]),
    "parts of one kind": lambda content: rewritten(content, parts=7),
    "no split": lambda content: rewritten(content, split=[9, "x", 0]),
    "deep": lambda content: rewritten(content)[: -id_cache.TAIL.size] + tail_of(b"[" * 100_000),
}


def tail_of(description: bytes) -> bytes:
    return description + id_cache.TAIL.pack(id_cache.hashlib.sha256(description).digest(), len(description))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_and_hostile_entries_are_as_none(poem_file, damage):
    plain = Corpus.from_file(poem_file, cache=False)
    Corpus.from_file(poem_file)
    (entry,) = entries()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert corpus.load_cached(entry.name) is None
    assert same(Corpus.from_file(poem_file), plain)
    assert entry.read_bytes() == whole  # made anew


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_entries_that_are_no_files(poem_file, kind, tmp_path):
    plain = Corpus.from_file(poem_file)
    (entry,) = entries()
    entry.rename(tmp_path / "moved")
    make = {"pipe": os.mkfifo, "folder": os.mkdir, "link": lambda place: os.symlink(tmp_path / "moved", place)}
    make[kind](entry)
    assert same(Corpus.from_file(poem_file), plain)


@pytest.mark.parametrize("place", ["a file", "below a file", "a dangling link"])
def test_a_cache_that_cannot_be_written_stops_nothing(poem_file, place, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "at all")
    folder = {"a file": "file", "below a file": "file/below", "a dangling link": "link"}[place]
    monkeypatch.setenv("SHAKEGEN_CACHE", str(tmp_path / folder))
    found = Corpus.from_file(poem_file)
    assert found.vocabulary.decode(found.ids) == poem_file.read_text()
    assert not mapped(found.ids)


def test_a_full_disk_stops_nothing_and_leaves_nothing(poem_file):
    """A limit on the size of files stands in for a full disk: the system refuses the write half-way."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        found = Corpus.from_file(poem_file)
        os._exit(0 if found.vocabulary.decode(found.ids) == poem_file.read_text() and not entries() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_entry_used_longest_ago_goes_first(poem_file, monkeypatch):
    for options in LEVELS:
        Corpus.from_file(poem_file, **options)
    for age, entry in enumerate(entries()):
        os.utime(entry, (1000 + age, 1000 + age))
    abandoned = id_cache.folder() / ".x.part"
    abandoned.write_bytes(b"left by a crash")
    os.utime(abandoned, (1000, 1000))
    (id_cache.folder() / ".y.part").write_bytes(b"being written by another run")
    oldest, *younger = (entry for entry in entries() if entry.name[0] != ".")
    Corpus.from_file(poem_file)  # uses one of them
    used = max([oldest, *younger], key=lambda entry: entry.stat().st_mtime)
    sizes = {entry: entry.stat().st_size for entry in [oldest, *younger]}
    monkeypatch.setattr(id_cache, "LIMIT", 1 + sizes[used] + 3000)
    Corpus.from_file(poem_file, split=(0.5, 0.25, 0.25))
    left = entries()
    assert used in left
    kept = [entry in left for entry in [oldest, *younger] if entry != used]
    assert kept == sorted(kept)
    assert not kept[0], "the oldest goes first"
    assert abandoned not in left
    assert id_cache.folder() / ".y.part" in left
    assert sum(entry.stat().st_size for entry in left if entry.suffix == ".ids") <= id_cache.LIMIT


def test_a_text_larger_than_the_whole_cache_is_not_kept(poem_file, monkeypatch):
    monkeypatch.setattr(id_cache, "LIMIT", 2000)
    found = Corpus.from_file(poem_file)
    assert found.vocabulary.decode(found.ids) == poem_file.read_text()
    assert entries() == []


def test_two_processes_at_once_both_get_the_text(poem_file):
    code = (
        "import sys; from shakegen.text import corpus; corpus.LEAST_CACHED = 100\n"
        "for _ in range(15):\n"
        "    found = corpus.Corpus.from_file(sys.argv[1], level='word')\n"
        "    assert len(found.vocabulary.decode(found.ids)) == 2430\n"
        "    [entry.unlink(missing_ok=True) for entry in corpus.id_cache.folder().glob('*.ids')]"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(poem_file)]) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
