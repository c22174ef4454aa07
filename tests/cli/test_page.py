"""The command that puts models on a web page."""

import dataclasses
import html.parser
import json
import webbrowser

import pytest

from shakegen.export.page.page import write_page
from shakegen.model import AutocompleteModel, shelf
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs

HOSTILE = "</script><script>alert(1)<!-- & é"


class Page(html.parser.HTMLParser):
    """The scripts of type JSON of a page, by id; attributes of all its elements; and the names of its elements."""

    def __init__(self, path):
        super().__init__()
        self.data, self.names, self.attributes, self._into = {}, [], [], None
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs
        self._into = dict(attrs).get("id") if ("type", "application/json") in attrs else None

    def handle_data(self, data):
        if self._into:
            self.data[self._into] = json.loads(data)

    def handle_endtag(self, tag):
        self._into = None


@pytest.fixture
def models(tmp_path, random_model, random_weights):
    """Two model files."""
    random_model(Config("gru", units=4, layers=1)).save(tmp_path / "gru.h5")
    words, config = Outputs(["thee", "more"]), Config.study("lstm", units=5)
    weights = random_weights(config, len(SYMBOLS), outputs=len(words))
    AutocompleteModel(config, SYMBOLS, weights, words=words).save(tmp_path / "words.h5")
    return tmp_path


def test_the_page_has_the_models_that_are_named(shakegen, models):
    result = shakegen("page", "gru.h5", "words.h5", "gru.h5", "--out", "new/two.html")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("Saved: new/two.html (")
    page = Page(models / "new" / "two.html")
    assert [one["name"] for one in page.data["models"]] == ["gru", "words"]
    assert [one["task"] for one in page.data["models"]] == ["next", "autocomplete"]
    assert page.data["facts"] == {"command": "shakegen page gru.h5 words.h5"}


def test_it_has_the_pretrained_models_where_none_is_named(shakegen, tmp_path):
    assert shakegen("page").exit_code == 0
    page = Page(tmp_path / "page.html")
    names = [shelf.pretrained(task).stem for task in ("next", "autocomplete")]
    assert [one["name"] for one in page.data["models"]] == names
    assert (tmp_path / "page.html").stat().st_size < 3e6


def test_only_a_page_is_overwritten_unless_it_is_named(shakegen, models):
    (models / "page.html").write_text("mine")
    result = shakegen("page", "gru.h5")
    assert (result.exit_code, result.stderr) == (
        1, "Error: page.html is there already: name another file with --out\n"
    )  # fmt: skip
    assert (models / "page.html").read_text() == "mine"
    assert shakegen("page", "gru.h5", "--out", "page.html").exit_code == 0
    assert shakegen("page", "words.h5").exit_code == 0, "one of its own"
    assert [one["name"] for one in Page(models / "page.html").data["models"]] == ["words"]


def test_it_needs_nothing_but_itself(shakegen, models):
    shakegen("page", "gru.h5")
    page = Page(models / "page.html")
    assert not {"img", "iframe", "object", "base"}.intersection(page.names)
    assert [value for name, value in page.attributes if name == "href"] == ["data:,"]  # a server is asked for no icon
    assert not {"src", "action", "formaction"}.intersection(dict(page.attributes))
    (policy,) = (value for _, value in page.attributes if value and value.startswith("default-src"))
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_nothing_of_a_model_can_break_out(random_model, tmp_path):
    model = random_model(Config("gru", units=4, layers=1))
    pages = {}
    for name in ("plain", HOSTILE):
        path = tmp_path / "page.html"
        path.write_text(write_page({name: dataclasses.replace(model, corpus={"name": name})}, command=name), "utf-8")
        pages[name] = Page(path)
    assert pages[HOSTILE].names == pages["plain"].names
    (found,) = pages[HOSTILE].data["models"]
    assert (found["name"], found["facts"]["corpus"]["name"]) == (HOSTILE, HOSTILE)
    assert pages[HOSTILE].data["facts"] == {"command": HOSTILE}


def test_precision(shakegen, models):
    sizes = {}
    for precision in ("auto", "float16", "float32"):
        assert shakegen("page", "gru.h5", "--precision", precision).exit_code == 0
        page = Page(models / "page.html")
        sizes[precision] = {array["type"] for array in page.data["models"][0]["arrays"]}
    assert sizes == {"auto": {"float16"}, "float16": {"float16"}, "float32": {"float32"}}
    assert page.data["facts"] == {"command": "shakegen page gru.h5 --precision float32"}


def test_it_opens_in_the_browser(shakegen, models, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not opened.append(address))
    assert shakegen("page", "gru.h5", "--open").exit_code == 0
    assert opened == [(models / "page.html").as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    result = shakegen("page", "gru.h5", "--open", "--out", "other.html")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[1:] == [
        "Error: no browser could be started: expected one on this computer; open other.html there by hand"
    ]
    assert (models / "other.html").exists()


def test_mistakes_leave_what_is_there(shakegen, models):
    (models / "poem.txt").write_text("Shall I compare thee", encoding="utf-8")
    (models / "model.html").write_bytes((models / "gru.h5").read_bytes())
    before = {path: path.read_bytes() for path in models.iterdir()}
    for model, out, message in (
        ("gru.h5", "gru.h5", "cannot write a page to gru.h5: expected a name that ends in .html"),
        ("gru.h5", "words.h5", "cannot write a page to words.h5: expected a name that ends in .html"),
        ("gru.h5", "poem.txt", "cannot write a page to poem.txt: expected a name that ends in .html"),
        ("model.html", "model.html", "model.html is read, it would be overwritten: name another file with --out"),
    ):
        result = shakegen("page", model, "--out", out)
        assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")
    assert {path: path.read_bytes() for path in models.iterdir()} == before
    (models / "page.html").write_text("mine")
    assert shakegen("page", "none.h5").exit_code == 1
    assert (models / "page.html").read_text() == "mine"
