"""Writing on the page, by clicks and keys in a real browser, against the same models in Python."""

import numpy as np
import pytest
from browser import strengths
from page_reader import shares_after, visible
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.text.subword_vocabulary import SubwordVocabulary


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


def test_keys_choose_what_can_be_seen(width, opened, browser):
    page = opened("gru")
    page.write("Shall I ", random_state=1, temperature=1.3)
    script = """
      const one = document.querySelector("#write .chosen"), { left, top } = one.getBoundingClientRect();
      return document.elementFromPoint(left + 2, top + 5) === one;
    """
    for key in (Keys.END, Keys.HOME):
        page.one(".text").send_keys(key)
        assert browser.execute_script(script)


def test_a_pressed_character_stays_until_it_is_pressed_again(opened):
    page = opened("gru")
    page.write("Shall I ", random_state=1, temperature=1.3)
    page.spans()[12].click()
    page.point_at(20)
    page.point_at(30)
    assert page.chosen() == 12
    page.spans()[12].click()
    page.point_at(20)
    page.wait(lambda: page.chosen() == 20)


def test_undo_brings_back_the_network_and_the_random_state(opened, models):
    page = opened("gru", "lstm")
    text = page.write("Shall I ", random_state=5)
    page.set(".temperature", 0)
    page.set(".random-state", 6)
    select = Select(page.one(".network select"))
    select.select_by_visible_text("lstm")
    page.wait_until_written()
    other = page.text()
    assert other == "Shall I " + models["lstm"].sample("Shall I ", 1000, temperature=0)
    for button, expected in ((".undo", (text, "gru", "5")), (".redo", (other, "lstm", "6"))):
        page.one(button).click()
        shown = select.first_selected_option.text, page.one(".random-state").get_attribute("value")
        assert (page.text(), *shown) == expected


def test_undo_brings_back_what_was_said_of_a_seed(opened):
    page, said = opened("scripts"), "The network does not know “é” and leaves it out."
    page.write("I é ", random_state=1)
    page.write("I ", random_state=2)
    for button, expected in ((".undo", said), (".redo", "")):
        page.one(button).click()
        assert page.one(".unknown").text == expected


def test_what_was_said_of_a_copy_goes_with_the_next_text(opened, browser):
    browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    page = opened("gru")
    page.write("I ", random_state=1)
    page.one(".copy").click()
    page.wait(lambda: page.one(".note").text == "Copied.")
    page.write("I ", random_state=2)
    assert page.one(".note").text == ""


def test_a_slider_that_a_network_with_fewer_symbols_moves_says_so(opened, models):
    page = opened("scripts", "gru")
    most = {name: min(50, len(models[name].vocabulary)) for name in ("scripts", "gru")}
    page.write("I ", top_k=most["scripts"])
    Select(page.one(".network select")).select_by_visible_text("gru")
    page.wait_until_written()
    slider = page.one(".top-k")
    label = slider.find_element("xpath", "..").find_element("css selector", ".value").get_property("textContent")
    assert label == slider.get_attribute("value") == str(most["gru"]) != str(most["scripts"])


def test_what_was_written_is_read_aloud_when_it_ends(opened):
    page = opened("gru")
    text = page.write("I ", random_state=2)
    assert page.one(".spoken").get_property("textContent") == text
    page.one(".go").click()
    page.wait_until_written()
    assert text + page.one(".spoken").get_property("textContent") == page.text()
    page.one(".undo").click()
    assert page.one(".spoken").get_property("textContent") == ""


def test_every_branch_of_one_random_state_is_drawn_from_other_numbers(opened, browser):
    """Also when the first texts are no longer kept."""
    opened("gru")
    script = """
      const branches = new Branches(), turns = [];
      for (let k = 0; k < 3 * KEPT; k++) {
        turns.push(branches.count);
        branches.keep({});
      }
      return [turns, branches.all.length, KEPT];
    """
    turns, kept, most = browser.execute_script(script)
    assert (turns, kept) == (list(range(3 * most)), most)


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


def test_a_seed_of_several_lines(opened):
    page = opened("gru")
    page.set(".pace", "Infinity")
    field = page.one(".seed")
    field.clear()
    field.send_keys("Shall I")
    field.send_keys(Keys.SHIFT + Keys.ENTER)
    field.send_keys("That" + Keys.ENTER)
    page.wait(lambda: page.text().startswith("Shall I\nThat"))


def test_the_start_of_a_very_long_seed_is_read_which_is_said(opened):
    page = opened("gru")
    page.set(".pace", "Infinity")
    page.set(".seed", "shall i " * 251)
    page.one(".main").click()
    page.wait_until_written()
    assert page.text().startswith("shall i " * 250)
    assert len(page.text()) == 3000
    assert page.one(".unknown").text == "Only the first 2,000 characters are read."


def test_an_empty_seed(opened, models):
    page = opened("gru")
    assert page.write("", temperature=0) == models["gru"].sample("", 1000, temperature=0)


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
    assert browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])") == text


def test_characters_that_subwords_spell_are_shown_and_counted_once(opened, models, random_weights):
    vocabulary = SubwordVocabulary([*" Shaliteo", "th", "ee", " th", " thee"])
    config = Config("gru", units=8, layers=1, level="subword", embedding=4)
    model = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    models["subwords"] = models["too"] = model
    page = opened("subwords", "too")
    text = "Shall 👍 ö"
    assert page.write(text, temperature=0) == text + model.sample(text, 1000, temperature=0)
    page.open("beside")
    page.set("textarea", text)
    expected = f"{model.evaluate(text).bits_per_character:.2f} bits/char"
    page.wait(lambda: [figure.text for figure in page.all(".model b")] == [expected] * 2)
