"""The parts that make the site's pages."""

import re

import pytest
from docstrings import translate_docstring
from session import choose_lines, draw

NAMES = {"Vocabulary": "shakegen.Vocabulary", "GRU": "shakegen.layers.GRU"}


@pytest.mark.parametrize(
    ("written", "translated"),
    [
        ("a `Vocabulary`", "a :py:obj:`Vocabulary <shakegen.Vocabulary>`"),
        ("`Vocabulary`s of", r":py:obj:`Vocabulary <shakegen.Vocabulary>`\ s of"),
        ("`layers.GRU`", ":py:obj:`layers.GRU <shakegen.layers.GRU>`"),
        ("`keras.layers.GRU`", "``keras.layers.GRU``"),  # another package's
        ("`text.Vocabulary`", "``text.Vocabulary``"),
        ("`a_` and b_, 2 * c | d", r"``a_`` and b\_, 2 \* c \| d"),
        ("snake_case", "snake_case"),
    ],
)
def test_names_in_docstrings_are_links_and_all_else_is_as_it_was(written, translated):
    assert translate_docstring([written], NAMES) == [translated]


@pytest.mark.parametrize(("room", "linked"), [("lab", True), ("text", False)])
def test_a_word_in_lower_case_is_a_function_of_its_own_room_alone(room, linked):
    names = {"start": "shakegen.lab.start.start", "train": "shakegen.train"}
    link = ":py:obj:`start <shakegen.lab.start.start>`" if linked else "``start``"
    translated = translate_docstring(["`start`, `train`"], names, f"shakegen.{room}.")
    assert translated == [f"{link}, :py:obj:`train <shakegen.train>`"]


def test_results_in_docstrings_have_no_type():
    assert translate_docstring(["Returns:", "    Pairs: `x`."], {}) == [":returns:", "    Pairs: ``x``."]


def test_examples_in_docstrings_are_code():
    lines = ["Say `x`.", "", "Example:", "", "    y = `x` * 2", "", "Then `x`."]
    assert translate_docstring(lines, {}) == ["Say ``x``.", "", "Example::", "", "    y = `x` * 2", "", "Then ``x``."]


LOG = """mkdir -p poem
cd poem && ../.venv/bin/shakegen train sonnets --cell gru
{epochs}Best epoch: 7, 2.3 bits/char on validation text.
cd poem && ../.venv/bin/shakegen sample --seed "shall i"
shall i write
"""


def test_a_session_shows_its_commands_its_first_and_last_epochs_and_its_end():
    epochs = "".join(f"epoch {number}/8: training 2\n\nverse {number}\n\n" for number in range(1, 9))
    assert choose_lines(LOG.format(epochs=epochs)) == [
        "$ make poem", "$ shakegen train sonnets --cell gru", "",
        "epoch 1/8: training 2", "", "verse 1", "⋮",
        "epoch 5/8: training 2", "", "verse 5", "⋮",
        "epoch 8/8: training 2", "", "verse 8", "",
        "Best epoch: 7, 2.3 bits/char on validation text.",
        '$ shakegen sample --seed "shall i"', "shall i write",
    ]  # fmt: skip


def test_the_recorded_session_is_small_and_fetches_nothing(root):
    for picture in (draw(["$ make poem", "a < b"]), (root / "docs" / "session.svg").read_text(encoding="utf-8")):
        assert "$&#160;make&#160;poem" in picture
        assert len(picture) < 50_000
        assert set(re.findall(r"\w+://[^\s\"'<)]*", picture)) <= {
            "http://www.w3.org/2000/svg",
            "https://www.textualize.io",
        }
        assert not re.search(r"@font-face|@import|url\((?!#)|<script|<image", picture)
