"""A real browser for the tests of web pages: Debian's Chromium and driver, else those that Selenium fetches."""

import contextlib
import re
import shutil

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
    "disable-component-update", "disable-sync", "disable-dev-shm-usage", "window-size=1200,900",
)  # fmt: skip
PHONE = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}


@contextlib.contextmanager
def open_browser(folder):
    """Open Chromium, with its files in a folder. Selenium Manager fetches a missing driver or browser."""
    binary, driver = next(filter(None, map(shutil.which, BROWSERS)), None), shutil.which("chromedriver")
    options = webdriver.ChromeOptions()
    if binary:
        options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for switch in (*SWITCHES, f"user-data-dir={folder}"):
        options.add_argument(f"--{switch}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NO_PROXY", "localhost,127.0.0.1")
        with webdriver.Chrome(options, webdriver.ChromeService(driver)) as browser:
            yield browser


def span(browser, position, model=0):
    text = browser.find_elements(By.CSS_SELECTOR, ".text")[model]
    return text.find_elements(By.TAG_NAME, "span")[position]


def of_spans(browser, expression, model=0):
    """The value of a JavaScript expression for each character, which it calls `one`."""
    script = "return [...document.querySelectorAll('.text')[arguments[0]].querySelectorAll('span')].map(one => "
    return browser.execute_script(f"{script} {expression})", model)


def strengths(browser, model=0):
    """The opacity of each character's background."""
    colours = of_spans(browser, "getComputedStyle(one).backgroundColor", model)
    numbers = [re.findall(r"[\d.]+", colour.replace("srgb", "")) for colour in colours]
    return np.array([float(parts[3]) if len(parts) == 4 else float(len(parts) == 3) for parts in numbers])


def contrast(browser, element):
    """The contrast ratio of a character with its background (WCAG 2)."""
    script = """
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const paint = colour => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); };
      const seen = () => [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
      const style = getComputedStyle(arguments[0]);
      paint(getComputedStyle(document.body).backgroundColor);
      paint(style.backgroundColor);
      const behind = seen();
      paint(style.color);
      return [behind, seen()];
    """
    lights = []
    for colour in browser.execute_script(script, element):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(colour) / 255]
        lights.append(np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05)
    return max(lights) / min(lights)


@contextlib.contextmanager
def phone(browser, theme):
    """Make the browser a phone, in a light or a dark theme."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    scheme = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
