"""The page of `shakegen page` as somebody uses it, in a real browser."""

import numpy as np
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from shakegen.study.autocomplete.outputs import Outputs

LETTERS = 'abcdefghijklmnopqrstuvwxyzSTI ,."\n'
TEXT = 'Shall I say "thou art more", or\nThat "I"\n'
WORDS = Outputs(["thee", "more", "compare", "a", "i", "and", "come", "to", "shall"])
HOSTILE = "</script><script>document.title='gone'</script><b>&\u2028${x}"
POEM = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
VIEWS = ("write", "complete", "memory", "beside", "about")


class PageReader:
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


def visible(text):
    return "␣" if text == " " else text.replace("\n", "↵")


def shares_after(model, text, temperature=1.0):
    logits = model.engine.prime(model.vocabulary.encode(text))[0][0].astype(float) / temperature
    shares = np.exp(logits - logits.max())
    return shares / shares.sum()
