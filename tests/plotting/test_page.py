"""The page of a figure in a real browser."""

from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By

from shakegen import plotting
from shakegen.plotting import Curve, Figure, Panel


def test_the_numbers_that_a_tap_shows_stay(browser, tmp_path):
    figure = Figure("Losses", [Panel("epoch", "bits", [Curve("a", [0, 1, 2], [3.0, 2.0, 1.0])])])
    (tmp_path / "page.html").write_text(plotting.page("Losses", figure), encoding="utf-8")
    browser.get((tmp_path / "page.html").as_uri())
    finger = ActionBuilder(browser, mouse=PointerInput("touch", "finger"))
    finger.pointer_action.move_to(browser.find_element(By.CSS_SELECTOR, "svg")).pointer_down().pointer_up()
    finger.perform()
    assert browser.find_element(By.CSS_SELECTOR, "output").is_displayed()
