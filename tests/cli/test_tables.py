"""Tables in a terminal: every cell is shown, and no line is too long. JSON is a line."""

import math

import pytest

from shakegen.cli import tables

HEADER = ["cell", "bits per character", "characters/s", "minutes", "peak memory"]
ROWS = [["gru", "2.031", "123,456", "3.5", "512"], ["nlstm:depth=3", "1.998", "45,678", "12.5", "1,024"]]


@pytest.mark.parametrize("room", [80, 60, 40, 30])
def test_every_cell_is_shown_and_no_line_is_too_long(room, monkeypatch, capsys):
    monkeypatch.setattr(tables, "find_room", lambda: room)
    tables.table(HEADER, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= room
    words = [word for line in lines for word in line.split()]
    for cell in [*" ".join(HEADER).split(), *ROWS[0], *ROWS[1]]:
        assert cell in words
    parts = words.count("gru")
    assert words.count("nlstm:depth=3") == parts  # the first column stands beside each part
    assert (parts > 1) == (room < 60)


def test_in_a_pipe_a_row_is_a_line(capsys):
    tables.table(HEADER, ROWS)
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(ROWS)


def test_json_is_one_line_where_numbers_that_are_not_finite_are_null(capsys):
    tables.print_json({"é": [1, math.nan, math.inf], "table": (2.5, None)})
    assert capsys.readouterr().out == '{"\\u00e9": [1, null, null], "table": [2.5, null]}\n'


def test_characters_of_two_columns_stand_in_line(capsys):
    tables.print_columns([["床", "ab"], ["1", "2"]])
    assert capsys.readouterr().out == "床  1\nab  2\n"
