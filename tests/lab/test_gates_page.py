"""The page of gates in a real browser."""

import numpy as np
import pytest
from browser import contrast, of_spans, phone, span, strengths
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from shakegen import plotting
from shakegen.lab import gates
from shakegen.network.config import Config

TEXT = "shall i compare thee to a summers day thou art more lovely and more temperate rough winds do shake"


@pytest.fixture
def opened(browser, tmp_path, random_model):
    """The page of two units along a text; gives the result that it shows."""
    model = random_model(Config("lstm", units=8, layers=2))
    result = gates.gates(model, model.vocabulary.encode(TEXT), count=2)
    path = tmp_path / "page.html"
    path.write_bytes(plotting.page("Gates", result.parts[0]).encode())
    browser.get(path.as_uri())
    yield result
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def text_of(browser):
    return browser.find_element(By.CSS_SELECTOR, ".text")


def chosen(browser):
    return int(text_of(browser).get_attribute("aria-valuenow")) - 1


def readings(browser):
    pairs = browser.find_elements(By.CSS_SELECTOR, "dl div")
    return {
        pair.find_element(By.TAG_NAME, "dt").text: float(pair.find_element(By.TAG_NAME, "dd").text) for pair in pairs
    }


def scale(browser):
    return [end.text for end in browser.find_elements(By.CSS_SELECTOR, ".scale span")]


def assert_shown(browser, trace, signal, position):
    shades = gates.shades(trace["values"][signal], trace["kinds"][signal])
    np.testing.assert_allclose(strengths(browser), 0.75 * np.abs(shades), atol=0.015)
    assert chosen(browser) == position
    expected = {name: pytest.approx(values[position], abs=0.006) for name, values in trace["values"].items()}
    assert readings(browser) == expected


def test_selects_choose_the_unit_and_the_signal(browser, opened):
    unit, signal = map(Select, browser.find_elements(By.TAG_NAME, "select"))
    assert_shown(browser, opened.traces[0], "c", 0)
    assert scale(browser) == ["tanh -1", "1"]
    signal.select_by_visible_text("f")
    assert_shown(browser, opened.traces[0], "f", 0)
    assert scale(browser) == ["0, closed", "1, open"]
    unit.select_by_index(1)
    assert_shown(browser, opened.traces[1], "f", 0)


def test_low_and_high_values_have_different_colours(browser, opened):
    shades = np.array(gates.shades(opened.traces[0]["values"]["c"], "memory"))
    colours = of_spans(browser, "one.style.backgroundColor")
    assert all(("series0" in colour) == (round(127 * shade) < 0) for colour, shade in zip(colours, shades, strict=True))
    assert len({colour.split(")")[0] for colour in colours}) == 2


def test_a_pointer_and_keys_choose_the_character(browser, opened):
    ActionChains(browser).move_to_element(span(browser, 33)).perform()
    assert_shown(browser, opened.traces[0], "c", 33)
    for key, position in (
        (Keys.ARROW_RIGHT, 34), (Keys.ARROW_UP, 33), (Keys.ARROW_DOWN, 34), (Keys.HOME, 0), (Keys.ARROW_LEFT, 0),
        (Keys.END, len(TEXT) - 1),
    ):  # fmt: skip
        text_of(browser).send_keys(key)
        assert chosen(browser) == position


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_reads_on_a_phone(browser, opened, theme):
    with phone(browser, theme):
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390
        boxes = of_spans(browser, "one.getBoundingClientRect().toJSON()")
        assert all(box["left"] >= 0 and box["right"] <= 390 for box in boxes)
        assert len({round(box["top"]) for box in boxes}) > 1
        assert contrast(browser, span(browser, int(np.argmax(strengths(browser))))) > 4.5
