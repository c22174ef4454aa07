"""Fixtures of the page in a browser."""

import contextlib

import pytest
from browser import phone
from engine_page import open_engine
from page_reader import HOSTILE, LETTERS, WORDS, PageReader

from shakegen.export.page.page import write_page
from shakegen.model import AutocompleteModel, LanguageModel
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS
from shakegen.text.vocabulary import Vocabulary


@pytest.fixture
def models(random_weights):
    def letters(cell, random_state, characters=LETTERS):
        config, vocabulary = Config(cell, units=10, layers=2), Vocabulary(characters)
        weights = random_weights(config, len(vocabulary), random_state)
        weights["dense/kernel"] = 4 * weights["dense/kernel"]  # with opinions
        return LanguageModel(config, vocabulary, weights, {"name": "abc", "sha256": "0", "length": 27}, [])

    words = Config.study("lstm", units=9)
    weights = random_weights(words, len(SYMBOLS), outputs=len(WORDS))
    return {
        "gru": letters("gru", 0),
        "lstm": letters("lstm", 1),
        "words": AutocompleteModel(words, SYMBOLS, weights, words=WORDS),
        "scripts": letters("gru", 0, {*LETTERS, *"שלום👩🦊\u200dß"}),
    }


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """The browser, with the engine of the page alone."""
    open_engine(browser, tmp_path_factory.mktemp("engine"))
    return browser


@pytest.fixture
def opened(browser, tmp_path, models):
    """Opens the page of some models."""

    def open_page(*names):
        path = tmp_path / "page.html"
        chosen = {name: models[name] for name in names}
        path.write_text(write_page(chosen, "float32", f"shakegen page {HOSTILE}"), encoding="utf-8")
        browser.get(path.as_uri())
        return PageReader(browser)

    yield open_page
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


@pytest.fixture(params=["wide", "phone"])
def width(request, browser):
    with phone(browser, "light") if request.param == "phone" else contextlib.nullcontext():
        yield
