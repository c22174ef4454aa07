"""The other views of the page, by clicks and keys in a real browser, against the same models in Python."""

import dataclasses

import numpy as np
import pytest
from browser import of_spans, strengths
from page_reader import POEM, TEXT, WORDS, shares_after, visible
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from shakegen.lab import features
from shakegen.lab.gates import shades, squash
from shakegen.study.autocomplete.outputs import SYMBOLS
from shakegen.study.connectivity.connections import connections


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
    assert (area.get_attribute("value"), page.one(".spoken").get_property("textContent")) == (f"i {first} ", first)
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


def test_of_a_long_text_the_part_before_the_cursor_is_read(opened, models):
    models["short"] = dataclasses.replace(models["words"], corpus={"observation_length": 20})
    page = opened("short")
    page.view = "complete"
    text = "shall i come to thee and compare more"
    page.set("textarea", text)
    assert_completed(page, models["short"], text)
    page.one("textarea").send_keys(Keys.HOME, *[Keys.ARROW_RIGHT] * 9)
    assert_completed(page, models["short"], text[:9])
    page.wait(lambda: page.chosen() == 9)


HURRY = """
  const [area, text, value] = arguments;
  let time = performance.now();
  performance.now = () => time += 100;  // each slice of work ends after one step
  area.value = value;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  text.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true, cancelable: true }));
  delete performance.now;
"""


@pytest.mark.parametrize("view", ["complete", "memory", "beside"])
def test_keys_may_choose_while_a_text_is_being_read(opened, browser, view):
    page = opened("gru", "lstm", "words")
    page.open(view)
    page.wait(lambda: len(page.text()) > 2)
    for text in ("come to thee and to more", "and more", "shall i compare thee"):
        browser.execute_script(HURRY, page.one("textarea"), page.one(".text"), text)
        page.wait(lambda text=text: page.text().removeprefix(" ") == text)


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


def choose_rank(page, rank):
    """Choose a ranking, anew where it was chosen before."""
    select = Select(page.one(".rank"))
    select.select_by_value("line" if rank == "vary" else "vary")
    select.select_by_value(rank)


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
    choose_rank(page, rank)
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


def test_memory_keeps_the_unit_while_the_text_or_the_signal_changes(opened):
    page = opened("gru", "lstm")
    page.open("memory")
    Select(page.one(".network select")).select_by_visible_text("lstm")
    read_memory(page, TEXT)
    page.set(".unit input", 4)
    Select(page.one(".signal")).select_by_visible_text("f")
    assert unit_shown(page) == 3
    read_memory(page, TEXT + "I")
    assert unit_shown(page) == 3


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


def test_unknown_words_are_left_out_of_the_bits(opened, models, word_model):
    models["of words"] = models["too"] = word_model
    page = opened("of words", "too")
    page.open("beside")
    text, vocabulary = "Shall I prefer thee to thee", word_model.vocabulary
    page.set("textarea", text)
    ids = vocabulary.encode(text)
    bits, characters = 0, 0
    for place, number in enumerate(ids[1:], 1):
        if number != vocabulary.unknown:
            logits = word_model.engine.prime(ids[:place])[0][0].astype(float)
            bits += np.log2(np.exp(logits - logits[number]).sum())
            characters += len(vocabulary.symbols[number])
    expected = f"{bits / characters:.2f} bits/char, without unknown words"
    page.wait(lambda: [figure.text for figure in page.all(".model b")] == [expected] * 2)


@pytest.mark.parametrize("seed", ["Shall I", "Shall I "])
def test_a_network_of_words_writes_words(opened, models, word_model, seed):
    models["of words"] = word_model
    page = opened("of words")
    assert page.write(seed, temperature=0) == seed + word_model.sample(seed, 1000, temperature=0)
    page.open("memory")
    page.set("textarea", POEM)
    page.wait(lambda: page.text() == POEM)
    choose_rank(page, "line")
    ids = word_model.vocabulary.encode(POEM)
    symbols, signals = [word_model.vocabulary.decode([k]) for k in ids], word_model.engine.activations(ids)[-1]["h"]
    scores = features.correlations(signals, features.compute_feature("line-position", symbols))
    assert unit_shown(page) == np.abs(scores).argmax()
