"""The page of connectivity in a real browser."""

import re

import numpy as np
import pytest
from browser import contrast, of_spans, phone, span, strengths
from selenium.webdriver import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from shakegen import plotting
from shakegen.model import AutocompleteModel, LanguageModel
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.study.connectivity.connections import connections
from shakegen.study.connectivity.view import view
from shakegen.text.vocabulary import Vocabulary

HOSTILE = "Shall\n</script><script>document.title='gone'</script> & <b>\"i\"</b> ${x} é\u2028z"
TEXT = " shall i compare thee to a summers day thou art more lovely and more temperate "
WORDS = Outputs(["thee", "more", "compare", "a", "i", "and", "come", "to", "shall"])


@pytest.fixture
def models(random_weights):
    config, words = Config("gru", units=12), Config.study("lstm", units=10)
    characters = Vocabulary({*TEXT, *HOSTILE})
    return {
        "gru": LanguageModel(config, characters, random_weights(config, len(characters))),
        "words": AutocompleteModel(
            words, SYMBOLS, random_weights(words, len(SYMBOLS), outputs=len(WORDS)), words=WORDS
        ),
    }


@pytest.fixture
def opened(browser, tmp_path, models):
    """Opens the page of a text for some models; returns their connections."""

    def open_page(text=TEXT, names=("words", "gru"), *more):
        read = [connections(models[name], text, name) for name in names]
        path = tmp_path / "page.html"
        path.write_bytes(plotting.page("Connectivity", view(read, 4), *more).encode())
        browser.get(path.as_uri())
        return read

    yield open_page
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def suggestions(browser, model=0):
    side = browser.find_elements(By.CSS_SELECTOR, ".side")[model]
    return [item.text.split("\n")[0] for item in side.find_elements(By.TAG_NAME, "li")]


def visible(text):
    """A text as the page shows it: line ends and what is only white space have signs."""
    return re.sub(r"^\s+$", "␣", text.replace("\n", "↵"))


def chosen(browser):
    return [int(text.get_attribute("aria-valuenow")) - 1 for text in browser.find_elements(By.CSS_SELECTOR, ".text")]


def assert_shown(browser, read, position):
    assert chosen(browser) == [position] * len(read)
    for number, model in enumerate(read):
        expected = 0.85 * model.shares[position]
        np.testing.assert_allclose(strengths(browser, number), expected, atol=0.03)
        offered = [visible(text) for text, _ in model.suggestions[position]]
        assert suggestions(browser, number) == offered


def test_hovering_changes_the_colours_and_the_suggestions_of_every_model(browser, opened):
    read = opened()
    assert_shown(browser, read, 4)
    seen = []
    for position in (30, 77, 0):
        ActionChains(browser).move_to_element(span(browser, position, 1)).perform()
        assert_shown(browser, read, position)
        seen.append((strengths(browser).tolist(), suggestions(browser, 1)))
    assert len({str(one) for one in seen}) == 3


def test_arrow_keys_the_buttons_and_the_slider_choose(browser, opened):
    read = opened()
    body = browser.find_element(By.TAG_NAME, "body")
    for key, position in ((Keys.ARROW_RIGHT, 5), (Keys.ARROW_LEFT, 4), (Keys.END, 78), (Keys.HOME, 0)):
        body.send_keys(key)
        assert chosen(browser) == [position] * 2
    body.send_keys(Keys.ARROW_LEFT)
    assert_shown(browser, read, 0)
    back, forward = browser.find_elements(By.CSS_SELECTOR, ".position button")
    forward.click()
    forward.click()
    back.click()
    assert_shown(browser, read, 1)
    slider = browser.find_element(By.CSS_SELECTOR, ".position input")
    browser.execute_script("arguments[0].value = 40; arguments[0].dispatchEvent(new Event('input'))", slider)
    assert_shown(browser, read, 40)


def test_a_tap_chooses(browser, opened):
    read = opened()
    finger = ActionBuilder(browser, mouse=PointerInput("touch", "finger"))
    finger.pointer_action.move_to(span(browser, 33)).pointer_down().pointer_up()
    finger.perform()
    WebDriverWait(browser, 10).until(lambda _: chosen(browser) == [33, 33])
    assert_shown(browser, read, 33)


def test_other_scales_show_what_is_weaker(browser, opened):
    (model,) = opened(TEXT, ["gru"])
    scale, expected = Select(browser.find_element(By.TAG_NAME, "select")), model.shares[4]
    scale.select_by_value("root")
    np.testing.assert_allclose(strengths(browser), 0.85 * np.sqrt(expected), atol=0.03)
    scale.select_by_value("log")
    decades = np.log10(np.where(expected > 1e-6, expected, 1e-6))
    np.testing.assert_allclose(strengths(browser), 0.85 * (1 + decades / 6), atol=0.03)


def test_a_text_of_markup_survives(browser, opened):
    opened(HOSTILE, ["gru"])
    assert "".join(of_spans(browser, "one.textContent")) == HOSTILE.replace("\n", "↵")
    assert browser.title == "Connectivity"
    for position in (6, 15, 50, 70):
        ActionChains(browser).move_to_element(span(browser, position)).perform()
        assert chosen(browser) == [position]


def test_the_true_word_is_named_and_what_is_only_likely_too(browser, opened):
    (model,) = opened(TEXT, ["words"])
    titles = {14: "the word: compare", 30: "the likeliest word: ", len(TEXT) - 1: "the likeliest word: "}
    for position, title in titles.items():
        ActionChains(browser).move_to_element(span(browser, position)).perform()
        assert browser.find_element(By.CSS_SELECTOR, ".side p").text.startswith(title.strip())
        assert model.targets[position] in browser.find_element(By.CSS_SELECTOR, ".side p").text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_reads_on_a_phone(browser, opened, theme):
    row = {f"top_{k}": 0.2 * k for k in (1, 2, 3)}
    figure = plotting.accuracy_by_typing({"words": {"by_characters_typed": [{"typed": t, **row} for t in range(5)]}})
    with phone(browser, theme):
        opened(TEXT, ("words", "gru"), figure)
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390
        boxes = of_spans(browser, "one.getBoundingClientRect().toJSON()")
        assert all(box["left"] >= 0 and box["right"] <= 390 for box in boxes)
        assert min(box["height"] for box in boxes) >= 20
        assert len({round(box["top"]) for box in boxes}) > 1
        drawing = browser.find_element(By.CSS_SELECTOR, "figure svg.narrow")
        assert drawing.is_displayed()
        strongest = span(browser, int(np.argmax(strengths(browser))))
        assert contrast(browser, strongest) > 4.5
