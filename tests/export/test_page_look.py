"""All views of the page in a real browser: tabs, names, labels, contrast, phones, the keyboard alone."""

import re

import pytest
from browser import contrast, phone, strengths
from page_reader import HOSTILE, VIEWS
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.text.subword_vocabulary import SubwordVocabulary


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


def test_keys_of_the_browser_stay_its_own(opened, browser):
    opened("gru", "lstm", "words")
    tab = browser.find_element(By.ID, "tab-write")
    script = """
      const event = new KeyboardEvent("keydown", { key: "ArrowLeft", altKey: true, bubbles: true, cancelable: true });
      return arguments[0].dispatchEvent(event);
    """
    assert browser.execute_script(script, tab), "nobody prevents it"
    assert browser.find_element(By.ID, "write").is_displayed()


def test_what_is_to_be_read_aloud_is_never_hidden(opened, browser):
    page = opened("gru", "lstm", "words")
    for view in VIEWS:
        page.open(view)
        lines = page.all("[role=status]")
        assert all(browser.execute_script("return arguments[0].checkVisibility()", line) for line in lines), view
        assert view == "about" or lines


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


def test_nothing_is_offered_while_the_seed_is_read(opened, browser):
    page = opened("gru")
    page.write("Shall I ", random_state=1)
    assert page.bars()
    script = "document.querySelector('#write .main').click(); return document.querySelectorAll('#write .bar').length"
    assert browser.execute_script(script) == 0
    page.wait_until_written()
    assert page.bars()


def test_enter_of_an_input_method_writes_nothing(opened, browser):
    page = opened("gru")
    text = page.write("Shall I ", random_state=1)
    script = (
        "const event = new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, cancelable: true, bubbles: true});"
        "document.querySelector('#write .seed').dispatchEvent(event); return event.defaultPrevented"
    )
    assert browser.execute_script(script) is False
    assert page.text() == text


def test_tab_of_an_input_method_takes_no_word(opened, browser):
    page = opened("words")
    page.open("complete")
    page.wait(lambda: page.all(".bar"))
    script = (
        "const area = document.querySelector('#complete textarea'), before = area.value;"
        "const event = new KeyboardEvent('keydown', {key: 'Tab', isComposing: true, bubbles: true, cancelable: true});"
        "area.dispatchEvent(event); return !event.defaultPrevented && area.value === before"
    )
    assert browser.execute_script(script) is True


def test_the_focus_stays_in_the_list_when_there_are_fewer_bars(opened, browser):
    opened("gru").write("I ")
    script = """
      const list = document.querySelector("#write .bars"), bars = pairs => showBars(list, pairs, () => false, () => {});
      bars([["a", .5], ["b", .3], ["c", .2]]);
      list.lastChild.firstChild.focus();
      bars([["a", 1]]);
      return document.activeElement === list.firstChild.firstChild;
    """
    assert browser.execute_script(script) is True


def test_a_text_is_zoomed_by_two_fingers_and_signs_of_line_ends_are_not_selected(opened, browser):
    opened("gru").write("I ")
    script = "return getComputedStyle(document.querySelector('#write .text')).touchAction"
    assert browser.execute_script(script) == "pan-y pinch-zoom"
    style = browser.execute_script("return document.querySelector('style').textContent")
    assert style.count("-webkit-user-select: none") == len(re.findall(r"(?<!-)user-select: none", style)) == 2


@pytest.fixture
def spelling(opened, models, random_weights):
    """The page of a network of subwords, which spells the characters that it does not know."""
    vocabulary = SubwordVocabulary([*" Shaliteo", "th", "ee", " th", " thee"])
    config = Config("gru", units=8, layers=1, level="subword", embedding=4)
    models["subwords"] = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    return opened("subwords")


def test_keys_choose_no_digit_of_a_character_that_is_spelled(spelling):
    spelling.write("👍 Shall", temperature=0)
    for key in (Keys.HOME, Keys.ARROW_LEFT):
        spelling.one(".text").send_keys(key)
        assert spelling.chosen() == 7


def test_another_symbol_takes_the_place_of_all_digits(spelling, browser):
    def symbols():
        script = "return [...document.querySelectorAll('#write .text span')].map(span => span.symbol)"
        return browser.execute_script(script)

    spelling.write("Shall 👍 ö", temperature=0)
    before = symbols()
    spelling.spans()[before.index("👍")].click()
    assert "\ufffd" not in [text for text, _ in spelling.bars()], "a digit alone is no character"
    number, text = next((k, text) for k, (text, _) in enumerate(spelling.bars()) if re.fullmatch("[A-Za-z]+", text))
    spelling.all(".bars .bar")[number].click()
    spelling.wait_until_written()
    first = before.index("")
    assert symbols()[: first + 1] == [*before[:first], text]
