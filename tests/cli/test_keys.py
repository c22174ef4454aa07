"""Keys that are pressed in a terminal, and the text that they make."""

import contextlib
import os
import threading

import pytest
from terminal import open_terminal

from shakegen.cli import keys
from shakegen.cli.group import main
from shakegen.streams import count_columns


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


def test_keys_are_in_the_encoding_of_the_terminal(monkeypatch):
    ours, theirs = open_terminal()
    with os.fdopen(theirs, encoding="latin-1") as terminal:
        monkeypatch.setattr(keys.sys, "stdin", terminal)
        with keys.raw_terminal() as read:
            os.write(ours, b"\xe9a")
            assert read() == "éa"
    os.close(ours)


def test_spaces_and_joiners_of_all_scripts_are_typed(monkeypatch):
    assert press(monkeypatch, "a", "\u3000", "\u200c", "\x01", "b") == "a\u3000\u200cb"


@pytest.mark.parametrize("waiting", [False, True])
def test_ctrl_c_keeps_the_text_whenever_it_comes(monkeypatch, waiting):
    line, left = Line(), ["a"]

    def offer():
        if line.text and not waiting:
            raise KeyboardInterrupt
        return []

    def read():
        if not left:
            raise KeyboardInterrupt
        return left.pop(0)

    monkeypatch.setattr(keys, "raw_terminal", lambda: contextlib.nullcontext(read))
    with main.make_context("shakegen", ["models"]).scope():
        keys.type_on(line, offer, "", "Ctrl-D")
    assert line.text == "a"


def test_characters_of_two_columns_fit_on_the_line(monkeypatch, capsys):
    monkeypatch.setattr(keys, "find_width", lambda: 40)
    keys.show("床前明月光" * 30, [("疑", 0.5), ("是", 0.3)])
    line = capsys.readouterr().err.removeprefix("\r")  # click takes the rest out: there is no terminal
    assert line.endswith("光| 1 疑 50%  2 是 30%")
    assert count_columns(line) == 38
