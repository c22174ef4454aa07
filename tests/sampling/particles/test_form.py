"""Templates and other forms: what they stand for, and what is refused."""

import pytest

from shakegen.sampling.particles import Form, Place


def test_a_template_is_text_and_places():
    form = Form.template(
        "Dear {[A-Z][a-z]{2,9}},\n{:40} and {:20-30}; {{x}} {:5-}, {:-7}. {:3}{a}b\\{:12}\n", length=90
    )
    assert form.parts == (
        "Dear ",
        Place(0, 90, "[A-Z][a-z]{2,9}"),
        ",\n",
        Place(40, 40, ".*"),
        " and ",
        Place(20, 30, ".*"),
        "; {x} ",
        Place(5, 90, ".*"),
        ", ",
        Place(0, 7, ".*"),
        ". ",
        Place(3, 3, ".*"),
        Place(0, 90, "a"),
        "b\\",
        Place(12, 12, ".*"),
        "\n",
    )
    assert not form.total


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ("{:300-}x", Place(300, 300, ".*")),
        (r"{\}\{+:2}x", Place(2, 2, r"\}\{+")),
        ("{(a:b)+:2-3}x", Place(2, 3, "(a:b)+")),
        ("{a\nb}x", Place(0, 200, "a\nb")),
        ("{a\n}x", Place(0, 200, "a\n")),
        ("{\n}x", Place(0, 200, "\n")),
        ("{a:4\n}x", Place(0, 200, "a:4\n")),
    ],
)
def test_places(template, place):
    assert Form.template(template).parts == (place, "x")


def test_texts_in_a_row_are_one_and_empty_ones_none():
    parts = ("", "a", "b", Place(3, 3), "c", "", "d", Place(1, 1), "")
    assert Form(parts) == Form(("ab", Place(3, 3), "cd", Place(1, 1)))
    with pytest.raises(ValueError) as error:
        Form((Place(1, 3), ""))
    assert str(error.value) == (
        "the place {:1-3} at the end has no text after it to end it: expected a text or a line end there, or one "
        "length, as in {:3}"
    )


def test_a_place_of_a_template_has_a_length():
    with pytest.raises(ValueError, match=r"^the length is -5: expected a number of characters, 1 or more$"):
        Form.template("a{}b", -5)


def test_forms_without_a_template():
    assert Form.between("an end", 30) == Form((Place(30, 30), "an end"))
    assert Form.between("an end", 30, min_length=9) == Form((Place(9, 30), "an end"))
    assert Form.containing("a", length=8) == Form((Place(0, 8), "a", Place(8, 8)), total=True)
    assert Form.containing(["a", "b"], "c", 8, 3) == Form(
        (Place(0, 8), "a", Place(0, 8), "b", Place(3, 8, early=True), "c"), total=True
    )


BAD = {
    "the template has no free place: expected one in braces, such as {:40}": "abc",
    "the template has a { without its }, in line 2: expected a free place such as {:40}, or {{ for a brace": "a\nb{:3",
    "the template has a } without its {, in line 1: write }} for a brace": "a} {:3}",
    "the place {:30-20} has no length: expected the smaller number first, as in {:20-40}": "a{:30-20}b",
    "the place {40} is not clear: expected {:40} for a length": "{40}b",
    "the place {20-40} is not clear: expected {:20-40} for a length": "{20-40}b",
    "the place {:0-200} at the end has no text after it to end it: expected a text or a line end there, or one length, "
    "as in {:200}": "a{}",
    "the place {b:2-3} before {:4} has no text after it to end it: expected a text or a line end there, or one length, "
    "as in {:3}": "a{b:2-3}{:4}",
}


@pytest.mark.parametrize(("message", "template"), BAD.items())
def test_templates_that_cannot_be_read(message, template):
    with pytest.raises(ValueError) as error:
        Form.template(template)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("the end text is empty: expected one character or more", lambda: Form.between("")),
        ("the required text is empty: expected one character or more", lambda: Form.containing(["a", ""])),
        ("the length is 0: expected a number of characters, 1 or more", lambda: Form.between("a", 0)),
        ("the min-length is 9: expected a number from 0 to the length, 8", lambda: Form.between("a", 8, 9)),
    ],
)
def test_other_forms_that_are_refused(message, make):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


def test_a_required_text_is_a_string():
    with pytest.raises(TypeError) as error:
        Form.containing([3])
    assert str(error.value) == "the required text is 3: expected a string"
