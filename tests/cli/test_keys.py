"""Keys that are pressed in a terminal, and the text that they make."""

import contextlib
import os
import threading

from terminal import open_terminal

from shakegen.cli import keys
from shakegen.cli.group import main


class Line:
    """A text without a model."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def erase(self):
        self.text = self.text[:-1]

    def accept(self, offer):
        self.text += f"<{offer}>"


def press(monkeypatch, *pressed):
    """The text after some keys, where x and y are offered."""
    line, left = Line(), [*pressed, keys.END]
    monkeypatch.setattr(keys, "raw_terminal", lambda: contextlib.nullcontext(lambda: left.pop(0)))
    with main.make_context("shakegen", ["models"]).scope():
        keys.type_on(line, lambda: [("x", 0.6), ("y", 0.4)], "", "Ctrl-D")
    return line.text


def test_a_number_takes_an_offer_and_a_sign_before_it_types_it(monkeypatch):
    assert press(monkeypatch, "2", "\t", "=", "2", "=", "=", "9") == "<y><x>2=9"


def test_keys_without_a_sign_change_nothing(monkeypatch):
    assert press(monkeypatch, "a", keys.UP, "\x1b[1;5D", "b", "\x7f", "\r") == "a\n"


def test_a_character_may_come_byte_by_byte(monkeypatch):
    ours, theirs = open_terminal()
    with os.fdopen(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr(keys.sys, "stdin", terminal)
        with keys.raw_terminal() as read:
            first, second = "é".encode()
            os.write(ours, bytes([first]))
            threading.Timer(0.05, os.write, (ours, bytes([second]))).start()
            assert read() == "é"
    os.close(ours)
