"""Commands about corpora, and corpora in all forms at the commands that read one."""

import gzip
import io
import json

import pytest
from rich import console

from shakegen import cli
from shakegen.model import load
from shakegen.text import named
from shakegen.text.catalog import load_corpus, open_source
from shakegen.text.corpus import Corpus

FAST = ["--units", 8, "--epochs", 1, "--seq-length", 20, "--batch-size", 8, "--cell", "rnn", "--quiet"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and no way out."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("SHAKEGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "corpora"


def test_list_names_all_texts_and_whether_they_are_here(shakegen):
    header, *rows = shakegen("corpora", "list").stdout.splitlines()
    assert header.split() == ["name", "size", "here", "what"]
    assert [row.split()[0] for row in rows] == list(named.NAMED)
    assert [row.split()[3] for row in rows] == ["yes", "yes", "no", "no"]


def test_get_prints_where_the_text_is_and_fails_in_one_line(shakegen, cache):
    assert shakegen("corpora", "get", "sonnets").stdout == f"{named.locate_text('sonnets')}\n"
    failed = shakegen("corpora", "get", "text8")
    assert failed.exit_code == 1
    assert failed.stderr == (
        "fetching text8, 31,344,016 bytes, from http://mattmahoney.net/dc/text8.zip\n"
        "Error: text8 cannot be fetched: the proxy gives no connection to mattmahoney.net; "
        f"fetch http://mattmahoney.net/dc/text8.zip by hand and save it as {cache}/text8.zip\n"
    )


def test_path_does_not_fetch(shakegen, cache):
    failed = shakegen("corpora", "path", "text8")
    assert failed.exit_code == 1
    assert failed.stderr == "Error: text8 is not here: fetch it with `shakegen corpora get text8`\n"
    assert not cache.exists()


def test_a_text_to_fetch_is_asked_for_wherever_a_corpus_is(shakegen, random_model, tmp_path):
    random_model().save(tmp_path / "model.h5")
    for command in (("train",), ("evaluate", "model.h5"), ("corpora", "show"), ("novelty", "model.h5", "--corpus")):
        failed = shakegen(*command, "tinyshakespeare")
        assert failed.exit_code == 1
        assert "Error: tinyshakespeare cannot be fetched: " in failed.stderr


def test_a_terminal_shows_a_progress_bar(monkeypatch):
    shown = io.StringIO()
    terminal = console.Console(file=shown, force_terminal=True, width=100)
    monkeypatch.setattr(console, "Console", lambda **options: terminal)
    with named.progress_bar("text8", named.Download("http://x", 31_344_016, "")) as progress:
        progress(15_000_000)
    assert "text8" in shown.getvalue()
    assert "15.0/31.3 MB" in shown.getvalue()


def test_show_tells_what_is_in_a_text(shakegen, tmp_path):
    (tmp_path / "a.txt").write_text("abab\n" * 100, encoding="utf-8")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress("Äbc 1".encode("latin-1")))
    shown = shakegen("corpora", "show", "a.txt", "b.txt.gz", "--encoding", "latin-1", "--lowercase")
    assert shown.exit_code == 0
    assert "\norder  bits/char, by this text's own counts\n" in shown.stdout
    lines = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines()[:11])
    assert lines["name"] == "a+1"
    assert lines["characters"] == "505"
    assert lines["bytes"] == "506"
    assert shown.stdout.count("\n0      ") == shown.stdout.count("\n5      ") == 1
    assert "\n'ä' (U+00E4)   1      0.1980%\n" in shown.stdout
    options = ("--encoding", "latin-1", "--normalize", "text8", "--json")
    found = json.loads(shakegen("corpora", "show", "a.txt", "b.txt.gz", *options).stdout)
    assert found["counts"] == {" ": 102, "a": 200, "b": 201, "c": 1, "e": 1, "n": 1, "o": 1}


def test_show_leaves_out_what_is_rare_but_says_so(shakegen, tmp_path):
    (tmp_path / "many.txt").write_text("".join(map(chr, range(300, 500))), encoding="utf-8")
    shown = shakegen("corpora", "show", "many.txt").stdout
    assert shown.endswith("\nand 100 less frequent ones: --json shows all\n")


def test_train_on_several_texts_then_evaluate_on_them(shakegen, tmp_path, poem):
    (tmp_path / "texts").mkdir()
    for k in range(3):
        (tmp_path / "texts" / f"{k}.txt").write_text(poem[k:], encoding="utf-8")
    (tmp_path / "texts" / "x.png").write_bytes(b"\x89PNG\0")
    trained = shakegen("train", "texts", "-", "--normalize", "text8", *FAST, input="0 standard input")
    assert trained.exit_code == 0
    assert trained.stderr == "texts: left out 1 not text (x.png)\n"
    model = load("models/texts+1-rnn.h5")
    assert set(model.vocabulary.symbols) <= set("abcdefghijklmnopqrstuvwxyz ")
    (tmp_path / "stdin").write_text("0 standard input", encoding="utf-8")
    again = load_corpus(["texts", "stdin"], normalize="text8")
    assert again.sha256 == model.corpus["sha256"]
    measured = shakegen(
        "evaluate", "models/texts+1-rnn.h5", "texts", "stdin", "--normalize", "text8", "--split", "all", "--json"
    )
    assert json.loads(measured.stdout)["characters"] == len(again) - 1


def test_novelty_reads_both_texts_in_the_same_way(shakegen, tmp_path):
    (tmp_path / "a.txt").write_text("Whan that Aprille, with his shoures soote", encoding="utf-8")
    (tmp_path / "b.txt").write_text("The droghte of March", encoding="utf-8")
    (tmp_path / "c.txt").write_text("WITH HIS SHOURES -- SOOTE", encoding="utf-8")
    options = ["--corpus", "a.txt", "--corpus", "b.txt", "--normalize", "text8", "--json"]
    assert json.loads(shakegen("novelty", "c.txt", *options).stdout)["passage"] == "with his shoures soote"


def test_several_texts_are_one_after_the_other(tmp_path, poem):
    (tmp_path / "a.txt").write_text(poem, encoding="utf-8")
    several = load_corpus([tmp_path / "a.txt", "sonnets"])
    assert several.sha256 == Corpus.from_text(poem + named.fetch_text("sonnets").read_text(encoding="utf-8")).sha256
    assert open_source("sonnets", encoding="utf-16").name == "sonnets", "named texts have their own encoding"


def test_no_text_and_standard_input_twice(shakegen):
    with pytest.raises(ValueError) as error:
        load_corpus([])
    assert str(error.value) == "there is no text: expected a file, a folder or the name of a corpus"
    failed = shakegen("corpora", "show", "-", "-", input="text")
    assert (failed.exit_code, failed.stderr) == (1, "Error: standard input is given twice: it can be read only once\n")


def test_every_command_that_reads_a_corpus_has_the_same_options():
    with_options = [cli.main.commands[name] for name in ("train", "evaluate", "novelty")]
    for command in (*with_options, cli.main.commands["corpora"].commands["show"]):
        assert {"encoding", "lowercase", "normalize"} <= {parameter.name for parameter in command.params}
