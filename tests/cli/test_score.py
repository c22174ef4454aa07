"""`shakegen score`: the table, the document in JSON, and mistakes."""

import json
from pathlib import Path

import pytest
from mistakes import fails

from shakegen.model import load, scoring

NOTE = "Thou art more lovely\nand more temperate:\n\nShall I compare thee\n"


@pytest.fixture
def note(all_kinds):
    """note.txt, beside a random model of each kind."""
    Path("note.txt").write_text(NOTE)
    return {name: load(f"{name}.h5") for name in ("char", "word")}


def test_the_table_has_the_best_model_first(shakegen, note):
    result = shakegen("score", "note.txt", "-m", "char.h5", "-m", "word.h5", "--by", "line")
    pieces, total = scoring.score(note, {"note.txt": NOTE}, "line")
    assert (result.exit_code, result.stderr) == (0, "")
    head, *rows = result.stdout.splitlines()
    names = sorted(note, key=total.bits.get)
    assert head.split() == ["line", "begins", "characters", *names, "evidence", "best"]
    for row, piece in zip(rows, pieces, strict=False):
        best = piece.evidence.best if piece.evidence.is_clear else "undecided"
        error = piece.evidence.standard_error
        figures = [f"{piece.bits_per_character[name]:.3f}" for name in names]
        ends = [
            str(len(piece.text)),
            *figures,
            f"{piece.evidence.bits:.0f}",
            "±",
            f"{error:.0f}" if error else "?",
            best,
        ]
        assert row.split()[-len(ends) :] == ends
        assert row.split()[0] == str(piece.line)
    assert rows[3].split()[:2] == ["all", str(len(NOTE))]
    unknown, said = rows[4:]
    assert unknown == f"word does not know {total.unknown['word']} of the {len(NOTE)} characters."
    assert said.startswith(f"In all, {names[0]} is ahead of {names[1]} by ")


def test_one_model_and_several_files(shakegen, note):
    Path("more.txt").write_text("And more lovely\n")
    result = shakegen("score", "note.txt", "more.txt", "-m", "char.h5")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["file", "characters", "char"]
    assert [line[:-1] for line in lines[1:4]] == [["note.txt", "63"], ["more.txt", "16"], ["all", "79"]]
    places = shakegen("score", "note.txt", "more.txt", "-m", "char.h5", "--by", "paragraph").stdout.splitlines()
    assert [place.split()[0] for place in places[1:5]] == ["note.txt:1", "note.txt:4", "more.txt:1", "all"]


def test_the_usual_model_and_those_with_a_name(shakegen, note):
    result = shakegen("score", "note.txt")
    assert (result.exit_code, result.stderr) == (0, "Model: sonnets-gru\n")
    named = shakegen("score", "note.txt", "-m", "sonnets-gru", "-m", "sonnets-rnn")
    assert set(named.stdout.split()[2:4]) == {"sonnets-gru", "sonnets-rnn"}


def test_quiet_leaves_nothing_but_the_table(shakegen, note):
    Path("twin.h5").write_bytes(Path("char.h5").read_bytes())
    mixed = ("score", "note.txt", "-m", "char.h5", "--mix", "twin.h5")
    said, quiet = shakegen(*mixed), shakegen(*mixed, "--quiet")
    assert said.stderr.startswith("Mixture: ")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, said.stdout, "")
    usual = shakegen("score", "note.txt", "--quiet")
    assert (usual.exit_code, usual.stderr) == (0, "")


def test_the_document_in_json(shakegen, note):
    result = shakegen("score", "-", "-m", "char.h5", "-m", "word.h5", "--by", "paragraph", "--json", input=NOTE)
    pieces, total = scoring.score(note, {"-": NOTE}, "paragraph")
    assert json.loads(result.stdout) == {
        "models": {"char": "char.h5", "word": "word.h5"},
        "by": "paragraph",
        "pieces": [piece.to_dict() for piece in pieces],
        "total": total.to_dict(),
    }
    assert list(total.to_dict()) == ["file", "line", "characters", "bits_per_character", "bits", "unknown", "evidence"]
    assert list(total.to_dict()["evidence"]) == ["best", "second", "bits", "standard_error", "posterior"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lovely", ": too few words to tell."),
        ("art " * 4, ". This is less than two standard errors: other words could say otherwise."),
        (NOTE * 20, ". If one of the models wrote it, and all were as likely before, its probability is above 99.99%."),
    ],
)
def test_the_last_line_claims_no_more_than_there_is(shakegen, note, text, said):
    shown = shakegen("score", "-", "-m", "char.h5", "-m", "word.h5", input=text).stdout.splitlines()[-1]
    assert shown.endswith(said)


def test_mistakes_get_one_line(shakegen, note):
    Path("blank.txt").write_text(" \n")
    assert fails(
        shakegen("score", "blank.txt", "-m", "char.h5"),
        "blank.txt has nothing but white space: expected some text to score",
    )
    assert fails(
        shakegen("score", "note.txt", "-m", "autocomplete.h5"),
        "autocomplete.h5 predicts whole words and cannot write: expected a model of the next character; try "
        "`shakegen complete`",
    )
