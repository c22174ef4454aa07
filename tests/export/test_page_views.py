"""The views of the page, by clicks and keys in a real browser, against the same models in Python."""

import contextlib
import dataclasses

import numpy as np
import pytest
from browser import contrast, of_spans, phone, strengths
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from shakegen.export.page.page import write_page
from shakegen.lab import features
from shakegen.lab.gates import shades, squash
from shakegen.model import AutocompleteModel, LanguageModel
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.study.connectivity.connections import connections
from shakegen.text.vocabulary import Vocabulary

LETTERS = 'abcdefghijklmnopqrstuvwxyzSTI ,."\n'
TEXT = 'Shall I say "thou art more", or\nThat "I"\n'
WORDS = Outputs(["thee", "more", "compare", "a", "i", "and", "come", "to", "shall"])
HOSTILE = "</script><script>document.title='gone'</script><b>&\u2028${x}"
POEM = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
VIEWS = ("write", "complete", "memory", "beside", "about")


@pytest.fixture
def models(random_weights):
    def letters(cell, random_state, characters=LETTERS):
        config, vocabulary = Config(cell, units=10, layers=2), Vocabulary(characters)
        weights = random_weights(config, len(vocabulary), random_state)
        weights["dense/kernel"] = 4 * weights["dense/kernel"]  # with opinions
        return LanguageModel(config, vocabulary, weights, {"name": "abc", "sha256": "0", "length": 27}, [])

    words = Config.autocomplete("lstm", units=9)
    weights = random_weights(words, len(SYMBOLS), outputs=len(WORDS))
    return {
        "gru": letters("gru", 0),
        "lstm": letters("lstm", 1),
        "words": AutocompleteModel(words, SYMBOLS, weights, words=WORDS),
        "scripts": letters("gru", 0, {*LETTERS, *"שלום👩🦊\u200dß"}),
    }


class Page:
    """The page in the browser, as somebody uses it."""

    def __init__(self, browser):
        self.browser, self.view = browser, "write"

    def open(self, view):
        self.browser.find_element(By.ID, f"tab-{view}").click()
        self.view = view

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, f"#{self.view} :is({selector})")

    def one(self, selector):
        return self.all(selector)[0]

    def spans(self, number=0):
        return self.all(".text")[number].find_elements(By.TAG_NAME, "span")

    def text(self, number=0):
        script = "return [...arguments[0].querySelectorAll('span')].map(span => span.symbol).join('')"
        return self.browser.execute_script(script, self.all(".text")[number])

    def set(self, selector, value):
        """Move a slider, or fill a field."""
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))"
        self.browser.execute_script(script, self.one(selector), value)

    def point_at(self, index, number=0):
        span = self.spans(number)[index]
        self.browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", span)
        ActionChains(self.browser).move_to_element(span).perform()

    def chosen(self, number=0):
        return int(self.all(".text")[number].get_attribute("aria-valuenow")) - 1

    def wait(self, condition):
        WebDriverWait(self.browser, 20, poll_frequency=0.03).until(lambda _: condition())

    def write(self, seed, **settings):
        """Write a text from a seed until it stops."""
        self.set(".pace", "Infinity")
        for name, value in settings.items():
            self.set(f".{name.replace('_', '-')}", value)
        field = self.one(".seed")
        field.clear()
        field.send_keys(seed)
        self.one(".main").click()
        self.wait_until_written()
        return self.text()

    def wait_until_written(self):
        self.wait(lambda: self.one(".go").text == "Go on")

    def bars(self):
        return [tuple(bar.text.split("\n")) for bar in self.all(".bars .bar")]

    def in_view(self, number=0):
        """The number of a text among those of all views."""
        script = "return [...document.querySelectorAll('.text')].indexOf(arguments[0])"
        return self.browser.execute_script(script, self.all(".text")[number])


@pytest.fixture
def opened(browser, tmp_path, models):
    """Opens the page of some models."""

    def open_page(*names):
        path = tmp_path / "page.html"
        chosen = {name: models[name] for name in names}
        path.write_text(write_page(chosen, "float32", f"shakegen page {HOSTILE}"), encoding="utf-8")
        browser.get(path.as_uri())
        return Page(browser)

    yield open_page
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


@pytest.fixture(params=["wide", "phone"])
def width(request, browser):
    with phone(browser, "light") if request.param == "phone" else contextlib.nullcontext():
        yield


def visible(text):
    return "␣" if text == " " else text.replace("\n", "↵")


def test_it_writes_at_once_and_the_likeliest_text_is_that_of_python(opened, models):
    page = opened("gru")
    page.wait(lambda: len(page.text()) > 5)
    text = page.write("Shall I", temperature=0)
    assert text == "Shall I" + models["gru"].sample("Shall I", 1000, temperature=0)


def test_the_random_state_gives_a_text_again(opened):
    page = opened("gru")
    first = page.write("I ", random_state=7)
    page.one(".another").click()
    page.wait_until_written()
    second = page.text()
    assert page.one(".random-state").get_attribute("value") == "8"
    assert page.write("I ", random_state=7) == first != second
    assert page.write("I ", random_state=8) == second


def test_stop_and_go_on(opened):
    page = opened("gru")
    whole = page.write("I ", random_state=3)
    page.set(".pace", 25)
    page.one(".main").click()
    page.wait(lambda: len(page.text()) > 6)
    page.one(".go").click()
    part = page.text()
    assert whole.startswith(part)
    assert len(part) < 500
    page.set(".pace", "Infinity")
    page.one(".go").click()
    page.wait_until_written()
    assert page.text().startswith(whole)
    assert len(page.text()) == len(part) + 1000


def shares_after(model, text, temperature=1.0):
    logits = model.engine.prime(model.vocabulary.encode(text))[0][0].astype(float) / temperature
    shares = np.exp(logits - logits.max())
    return shares / shares.sum()


def assert_offers(page, model, before, temperature, own=None):
    """The bars are the likeliest symbols after a text, and the one that stands there."""
    shares, symbols = shares_after(model, before, temperature), model.vocabulary.symbols
    bars = page.bars()
    assert len(bars) == min(10, (shares >= 0.0005).sum())
    for rank, (symbol, percent) in enumerate(bars):
        place = [visible(one) for one in symbols].index(symbol)
        assert float(percent.removesuffix(" %")) == pytest.approx(100 * shares[place], abs=0.51)
        assert shares[place] == pytest.approx(np.sort(shares)[-1 - rank], abs=1e-5) or symbol == visible(own)
    if own is not None:
        assert page.one(".bar.right").text.split("\n")[0] == visible(own)


def test_pointing_at_a_character_shows_what_else_could_stand_there(opened, models):
    page = opened("gru")
    text = page.write("Shall I ", random_state=1, temperature=1.3)
    for index in (20, 9, 30):
        page.point_at(index)
        page.wait(lambda index=index: page.chosen() == index)
        assert_offers(page, models["gru"], text[:index], 1.3, text[index])


def test_a_bar_makes_a_branch_and_undo_brings_the_old_text_back(width, opened):
    page = opened("gru")
    text = page.write("Shall I ", random_state=1, temperature=1.3)
    page.spans()[12].click()
    other = next(bar for bar in page.all(".bars .bar") if "right" not in bar.get_attribute("class"))
    symbol = other.text.split("\n")[0]
    other.click()
    page.wait_until_written()
    branch = page.text()
    assert branch[:12] == text[:12]
    assert visible(branch[12]) == symbol != visible(text[12])
    page.one(".undo").click()
    assert page.text() == text
    page.one(".redo").click()
    assert page.text() == branch


def test_keys_alone_choose_a_character_and_another_in_its_place(opened, browser):
    page = opened("gru")
    text = page.write("Shall I ", random_state=1, temperature=1.3)
    where = page.one(".text")
    for key, place in ((Keys.HOME, 0), (Keys.ARROW_RIGHT, 1), (Keys.ARROW_DOWN, 2), (Keys.ARROW_LEFT, 1)):
        where.send_keys(key)
        assert page.chosen() == place
    where.send_keys(Keys.ARROW_RIGHT * 8 + Keys.ENTER)
    bar = browser.switch_to.active_element
    symbol = bar.text.split("\n")[0]
    bar.send_keys(Keys.ENTER)
    page.wait_until_written()
    assert page.text()[:9] == text[:9]
    assert visible(page.text()[9]) == symbol
    where.send_keys(Keys.HOME)
    where.send_keys(Keys.ESCAPE)
    assert page.chosen() == -1


def test_truncations_leave_bars_out(opened, models):
    page = opened("gru")
    text = page.write("Shall I ", temperature=1, top_k=3)
    assert len(page.bars()) == 3
    page.set(".top-k", 0)
    page.set(".min-p", 0.5)
    shares = shares_after(models["gru"], text)
    assert len(page.bars()) == (shares >= 0.5 * shares.max()).sum()


def test_the_colour_is_the_surprise(opened, models):
    page, model = opened("gru"), models["gru"]
    text = page.write("Shall I ", random_state=2)[:40]
    bits = [-np.log2(shares_after(model, text[:k])[model.vocabulary.encode(text[k])[0]]) for k in range(1, 40)]
    np.testing.assert_allclose(strengths(page.browser)[1:40], 0.75 * np.minimum(1, np.array(bits) / 8), atol=0.01)
    page.one("summary").click()
    page.one(".tint").click()
    assert not strengths(page.browser).any()


@pytest.mark.parametrize(
    ("seed", "read", "said"),
    [
        ("I é I", "I  I", "The network does not know “é” and leaves it out."),
        ("שלום I", "שלום I", ""),
        ("👩‍🦊 ß", "👩‍🦊 ß", ""),
        ("🐙🐙 日 ", "  ", "The network does not know “🐙”, “日” and leaves them out."),
    ],
)
def test_any_seed_is_read_and_what_is_unknown_is_said(opened, models, seed, read, said):
    page = opened("scripts")
    page.set(".pace", "Infinity")
    page.set(".seed", seed)
    page.one(".main").click()
    page.wait_until_written()
    assert page.text().startswith(read)
    assert page.one(".unknown").text == said


def test_a_network_of_words_writes_words(opened, models, word_model):
    models["of words"] = word_model
    page = opened("of words")
    assert page.write("Shall I", temperature=0) == "Shall I" + word_model.sample("Shall I", 1000, temperature=0)
    page.open("memory")
    page.set("textarea", POEM)
    page.wait(lambda: page.text() == POEM)
    Select(page.one(".rank")).select_by_value("line")
    ids = word_model.vocabulary.encode(POEM)
    symbols, signals = [word_model.vocabulary.decode([k]) for k in ids], word_model.engine.activations(ids)[-1]["h"]
    scores = features.correlations(signals, features.compute_feature("line-position", symbols))
    assert unit_shown(page) == np.abs(scores).argmax()


def test_an_empty_seed(opened, models):
    page = opened("gru")
    assert page.write("", temperature=0) == models["gru"].sample("", 1000, temperature=0)


def offers(page):
    return [tuple(button.text.split("\n")) for button in page.all(".offers button")]


def assert_completed(page, model, text):
    found = [(word, 100 * share) for word, share in model.complete(text, 5)]
    page.wait(lambda: [word for word, _ in offers(page)] == [word for word, _ in found])
    for (_, shown), (_, share) in zip(offers(page), found, strict=True):
        assert float(shown.removesuffix(" %")) == pytest.approx(share, abs=0.51)


def assert_connected(page, model, position):
    Select(page.one(".strength")).select_by_value("linear")
    text = page.text()
    expected = 0.85 * connections(model, text).shares[position]
    if text.split()[-1] in WORDS:
        expected = 0.85 * connections(model, text, target=page.one("h2").text.split("”")[0][6:]).shares[position]

    def agrees():
        return np.allclose(strengths(page.browser, page.in_view()), expected, atol=0.01)

    page.wait(agrees)


def test_every_key_gives_words_and_their_connectivity(opened, models):
    page = opened("words")
    page.view = "complete"
    area = page.one("textarea")
    area.clear()
    text = ""
    for key in "sha i mo":
        area.send_keys(key)
        text += key
        assert_completed(page, models["words"], text)
    assert page.text() == " sha i mo"
    assert_connected(page, models["words"], 8)
    area.send_keys(Keys.BACKSPACE)
    assert_completed(page, models["words"], "sha i m")
    page.point_at(3)
    page.wait(lambda: page.chosen() == 3)
    assert_connected(page, models["words"], 3)


def test_tab_and_clicks_take_a_word_and_escape_leaves(width, opened, models, browser):
    page = opened("words")
    page.view = "complete"
    area = page.one("textarea")
    area.clear()
    area.send_keys("i mo")
    assert_completed(page, models["words"], "i mo")
    first, third = offers(page)[0][0], offers(page)[2][0]
    area.send_keys(Keys.TAB)
    assert area.get_attribute("value") == f"i {first} "
    area.send_keys(Keys.BACKSPACE, Keys.BACKSPACE)
    area.clear()
    area.send_keys("i mo")
    assert_completed(page, models["words"], "i mo")
    page.all(".offers button")[2].click()
    assert area.get_attribute("value") == f"i {third} "
    assert browser.switch_to.active_element == area
    area.send_keys(Keys.ESCAPE, Keys.TAB)
    assert browser.switch_to.active_element == page.one(".offers button")


def test_the_cursor_chooses_the_place(opened, models):
    page = opened("words")
    page.view = "complete"
    area = page.one("textarea")
    area.clear()
    area.send_keys("come to")
    area.send_keys(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert_completed(page, models["words"], "co")
    page.wait(lambda: page.chosen() == 2)


def test_strange_texts_are_completed_and_what_is_no_letter_is_said(opened, models):
    page = opened("words")
    page.view = "complete"
    for text in ("", "  ", "Shall 42 é", "שלום"):
        page.set("textarea", text)
        assert_completed(page, models["words"], text)
    assert page.one(".unknown").text.startswith("The network does not know “ש”, “ל”, “ו”, “ם” and reads a space")


def read_memory(page, text):
    page.open("memory")
    page.set("textarea", text)
    page.wait(lambda: page.text() == text)


def unit_shown(page, number=0):
    return int(page.all(".unit h2")[number].text.removeprefix("unit ")) - 1


def test_memory_colours_the_text_by_any_signal_of_any_unit(opened, models):
    page, model = opened("lstm"), models["lstm"]
    read_memory(page, TEXT)
    layer, signal = Select(page.one(".layer select")), Select(page.one(".signal"))
    kinds = {"h": "value", "c": "memory", "f": "gate"}
    activations = model.engine.activations(model.vocabulary.encode(TEXT))
    for number, name in ((2, "c"), (1, "f"), (1, "h")):
        layer.select_by_visible_text(f"{number}")
        signal.select_by_visible_text(name)
        page.set(".unit input", 4)
        values = activations[number - 1][name][:, 3]
        expected = 0.75 * np.abs(shades(values, kinds[name]))
        np.testing.assert_allclose(strengths(page.browser, page.in_view()), expected, atol=0.01)
        page.point_at(7)
        assert f"unit 4: h {activations[number - 1]['h'][7, 3]:.2f}" in page.one(".reading").text


@pytest.mark.parametrize(
    ("rank", "feature"), [("vary", None), ("line", "line-position"), ("quote", "quote"), ("capital", None)]
)
def test_memory_ranks_units_as_python_does(opened, models, rank, feature):
    page, model = opened("gru"), models["gru"]
    read_memory(page, TEXT)
    Select(page.one(".rank")).select_by_value(rank)
    signals = squash(model.engine.activations(model.vocabulary.encode(TEXT))[-1]["h"], "value")
    if rank == "vary":
        scores = signals.std(axis=0)
    elif rank == "capital":
        scores = features.correlations(signals, np.array([one.isupper() for one in TEXT], float))
    else:
        scores = features.correlations(signals, features.compute_feature(feature, TEXT))
    best = np.argsort(-np.abs(scores))[:8]
    shown = [button.text.split() for button in page.all(".ranking button")]
    assert [int(unit) - 1 for unit, _ in shown] == best.tolist()
    np.testing.assert_allclose([float(score) for _, score in shown], scores[best], atol=0.006)
    assert unit_shown(page) == best[0]
    page.all(".ranking button")[3].click()
    assert unit_shown(page) == best[3]


def test_memory_shows_two_units_side_by_side(width, opened):
    page = opened("gru")
    read_memory(page, TEXT)
    page.one(".pair").click()
    assert unit_shown(page, 0) != unit_shown(page, 1)
    page.point_at(9, 1)
    assert page.chosen(0) == page.chosen(1) == 9
    page.all(".text")[0].send_keys(Keys.ARROW_RIGHT)
    assert page.chosen(1) == 10


def test_memory_says_when_there_is_nothing_to_follow(opened):
    page = opened("gru")
    read_memory(page, "shall i")
    Select(page.one(".rank")).select_by_value("quote")
    assert page.one(".note").text == "It is the same all along this text: no unit can follow it. Try another text."
    page.set("textarea", "")
    assert page.text() == ""


def test_only_the_start_of_a_long_text_is_read_which_is_said(opened):
    page = opened("gru", "lstm")
    for view in ("memory", "beside"):
        page.open(view)
        page.set("textarea", "shall i " * 251)
        page.wait(lambda: page.text() == "shall i " * 250)
        assert page.one(".unknown").text == "Only the first 2,000 characters are read."


def test_models_side_by_side(width, opened, models):
    page = opened("gru", "words", "lstm")
    page.open("beside")
    page.set("textarea", TEXT)
    page.wait(lambda: page.text(0) == page.text(1) == TEXT)
    names = ("gru", "lstm")
    assert [head.text for head in page.all(".model h2")] == list(names)
    bits = []
    for number, name in enumerate(names):
        figure = f"{models[name].evaluate(TEXT).bits_per_character:.2f} bits/char"
        assert page.all(".model b")[number].text == figure
        ids = models[name].vocabulary.encode(TEXT)
        bits.append([0, *(-np.log2(shares_after(models[name], TEXT[:k])[ids[k]]) for k in range(1, len(TEXT)))])
    far = np.abs(np.subtract(*bits)) >= 2
    assert far.any()
    for number in range(2):
        assert of_spans(page.browser, "one.classList.contains('differs')", page.in_view(number)) == far.tolist()
    page.point_at(11, 1)
    page.wait(lambda: page.chosen(0) == page.chosen(1) == 11)
    for number, name in enumerate(names):
        likeliest = models[name].vocabulary.symbols[shares_after(models[name], TEXT[:11]).argmax()]
        assert page.all(".bars")[number].text.split("\n")[0] == visible(likeliest)


def test_networks_that_complete_words_stand_side_by_side_too(opened, models, random_weights):
    models["other"] = dataclasses.replace(
        models["words"], weights=random_weights(models["words"].config, len(SYMBOLS), 5, len(WORDS))
    )
    page = opened("words", "other")
    page.open("beside")
    page.set("textarea", "come to thee")
    page.wait(lambda: page.text(0) == page.text(1) == " come to thee")
    page.point_at(7, 0)
    page.wait(lambda: page.chosen(1) == 7)
    for number, name in enumerate(("words", "other")):
        assert page.all(".bars")[number].text.split("\n")[0] == models[name].complete("come to", 1)[0].word


def test_the_page_has_the_views_that_its_models_allow(opened):
    tabs = {
        ("gru",): ["Write", "Memory", "About"],
        ("words",): ["Complete", "Memory", "About"],
        ("gru", "words"): ["Write", "Complete", "Memory", "About"],
        ("gru", "lstm"): ["Write", "Memory", "Side by side", "About"],
    }
    for names, expected in tabs.items():
        page = opened(*names)
        assert [tab.text for tab in page.browser.find_elements(By.CSS_SELECTOR, "[role=tab]")] == expected


def test_arrow_keys_open_tabs(opened, browser):
    page = opened("gru", "lstm", "words")
    tab = browser.find_element(By.ID, "tab-write")
    tab.send_keys(Keys.ARROW_LEFT)
    for view in ("about", *VIEWS):
        page.view = view
        assert browser.find_element(By.ID, view).is_displayed()
        assert browser.switch_to.active_element.get_attribute("id") == f"tab-{view}"
        browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)


def test_about_tells_what_the_networks_are_and_markup_stays_text(opened, models, browser):
    models[HOSTILE] = models["gru"]
    page = opened(HOSTILE, "lstm", "words")
    page.open("about")
    assert [title.text for title in page.all("h2")] == [HOSTILE.replace("\u2028", " "), "lstm", "words", "This page"]
    assert browser.title == "shakegen"
    assert f"{models['gru'].parameters:,} weights" in page.one("dl").text
    assert page.one("pre").get_property("textContent") == f"shakegen page {HOSTILE}"


LABELS = """
  const named = one => one.labels?.length || one.ariaLabel || one.textContent.trim();
  return [...document.querySelectorAll("button, input, select, textarea, [tabindex='0']")]
    .filter(one => one.checkVisibility() && !named(one)).map(one => one.outerHTML);
"""
TEXTS = """
  const all = "h1, h2, p, button, label, small, summary, dt, dd, .bar span, .text span, .value";
  const own = one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll(all)]
    .filter(one => one.checkVisibility() && own(one) && !one.disabled);
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_reads_on_a_phone(opened, browser, theme):
    with phone(browser, theme):
        page = opened("gru", "lstm", "words")
        page.write("Shall I ")
        page.spans()[8].click()
        for view in VIEWS:
            page.open(view)
            for more in page.all("summary, .pair"):
                more.click()
            page.wait(lambda view=view: view in ("about", "beside", "write") or any(strengths(browser, page.in_view())))
            assert browser.execute_script("return document.documentElement.scrollWidth") == 390
            assert browser.execute_script(LABELS) == []
            texts = browser.execute_script(TEXTS)
            for text in texts[:: 1 + len(texts) // 60]:
                assert contrast(browser, text) >= 4.5, text.get_attribute("outerHTML")


def test_a_long_name_fits_on_a_phone(opened, models, browser):
    models["a network with quite a long name " * 9] = models.pop("gru")
    with phone(browser, "light"):
        page = opened(*models)
        for view in VIEWS:
            page.open(view)
            assert browser.execute_script("return document.documentElement.scrollWidth") == 390


def test_the_tab_key_reaches_everything(opened, browser):
    page = opened("gru", "lstm", "words")
    page.write("Shall I ")
    for view in VIEWS:
        page.open(view)
        focusable = [
            one
            for one in page.all("button, input, select, textarea, summary, .text, pre")
            if one.is_displayed() and one.is_enabled()
        ]
        reached = []
        while (now := browser.switch_to.active_element).tag_name != "body" and now not in reached:
            reached.append(now)
            ActionChains(browser).send_keys(Keys.ESCAPE, Keys.TAB).perform()
        assert all(one in reached for one in focusable)


def test_copy_and_save(opened, browser, tmp_path):
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page = opened("scripts")
    text = page.write("I ß", random_state=4)
    page.one(".save").click()
    page.wait((tmp_path / "shakegen.txt").exists)
    assert (tmp_path / "shakegen.txt").read_bytes().decode() == text
    browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    page.one(".copy").click()
    page.wait(lambda: page.one(".note").text == "Copied.")
