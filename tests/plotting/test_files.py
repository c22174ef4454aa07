"""Figures as images and on web pages."""

import json
import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from shakegen import plotting
from shakegen.plotting import Bars, Curve, Figure, Heat, Panel, Table, image
from shakegen.plotting.page import render_figure
from shakegen.plotting.theme import LIGHT

SVG = "{http://www.w3.org/2000/svg}"
NASTY = ["_hidden", "$x$ and $y$", "<b>&", "a$", "床 </script>", "\\$"]


X = np.arange(1.0, 20)
CURVES = Panel("lag", "norm", [Curve("gru", X, np.exp(-X), mark=3, note="low"), Curve("rnn", X, 1 / X)], log_y=True)
BARS = Panel("cell", "loss", bars=[Bars("train", [2, 1.5], [0.1, 0.2]), Bars("test", [2.5, 2])], groups=["a", "b"])
HEAT = Panel("w", "b", [Curve("path", [0, 1], [0, 1])], heat=Heat(np.outer(X, X), "E", extent=(0, 1, 0, 1)))
EVERYTHING = Figure("All </script> of it", [CURVES, BARS, HEAT])


@pytest.fixture(scope="module")
def page():
    """The source of a page with two figures, a paragraph and a table."""
    curves = Figure("Curves", [CURVES])
    return plotting.page("Of <b> & more", "One </script> paragraph", Table(["a<"], [["b&"]]), EVERYTHING, curves)


def line_of(svg: bytes, colour: str) -> np.ndarray:
    """The corners of the path of a colour, shape (points, 2)."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}path")
    path = next(path for path in found if colour in path.get("style", "") and "clip-path" in path.attrib)
    return np.array([[float(n) for n in pair] for pair in re.findall(r"[ML] (\S+) (\S+)", path.get("d"))])


@pytest.mark.parametrize(("kind", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_same_figure_gives_the_same_file(tmp_path, kind, magic):
    for name in ("a", "b"):
        plotting.save(Figure("", [BARS]), tmp_path / f"{name}.{kind}")
    first, second = ((tmp_path / f"{name}.{kind}").read_bytes() for name in ("a", "b"))
    assert first.startswith(magic)
    assert first == second
    assert len(list(tmp_path.iterdir())) == 2


def test_curves_are_where_their_numbers_are(rng):
    curve = Curve("a", np.arange(12.0), rng.normal(size=12))
    svg, (place,) = image.draw(Figure("", [Panel("x", "y", [curve])]), "svg", 8.0)
    corners, (left, top, right, bottom) = line_of(svg, LIGHT.series[0]), place.box
    across = left + (curve.x - place.x[0]) / (place.x[1] - place.x[0]) * (right - left)
    down = bottom - (curve.y - place.y[0]) / (place.y[1] - place.y[0]) * (bottom - top)
    assert np.allclose(corners, np.stack([across, down], axis=1), atol=1e-3)


def test_names_are_shown_as_they_are():
    curves = [Curve(name, [1, 2], [1, 2]) for name in NASTY]
    svg = image.draw(Figure("", [Panel("$x_1$", "y", curves, title="_t")]))[0]
    shown = {"".join(text.itertext()).removeprefix("\u200b") for text in ElementTree.fromstring(svg).iter(f"{SVG}text")}
    assert shown >= {*NASTY, "$x_1$", "_t"}


def test_control_characters_in_names_break_no_file():
    strange = "a\x1b[31m\x00\x9b\ud800\uffff\u202e"
    figure = Figure(strange, [Panel(strange, strange, [Curve(strange, [1, 2], [1, 2])], title=strange)] * 2)
    texts = [text.text for text in ElementTree.fromstring(image.draw(figure)[0]).iter(f"{SVG}text")]
    assert texts.count("a\\x1b[31m\\x00\\x9b\\ud800\\uffff\\u202e") >= 3
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202e]", plotting.text(figure))


def test_more_series_than_colours_are_told_apart_by_their_marks():
    curves = [Curve(str(n), [1, 2], [n, n], mark=0) for n in range(10)]
    svg = ElementTree.fromstring(image.draw(Figure("", [Panel("x", "y", curves)]))[0])
    marks = {}
    for definition in svg.iter(f"{SVG}path"):
        colour = re.search("#[0-9a-f]{6}", definition.get("style", ""))
        if definition.get("id") and colour:
            marks.setdefault(colour[0], set()).add(definition.get("d"))
    assert len(marks[LIGHT.series[0]]) == 2


def test_long_names_are_wrapped_so_that_the_curves_keep_their_room():
    name = "-".join(["a-very-long-name"] * 8)
    curves = [Curve(name, [1, 2], [1, 2], note="best 2.404 at epoch 16", mark=1), Curve("b", [1, 2], [2, 1])]
    bars = Panel("cell", "loss", bars=[Bars("train", range(9))], groups=[f"{name}{n}" for n in range(9)])
    heat = Panel("x", "y", heat=Heat(np.eye(50), rows=[name] * 50, columns=[name] * 50))
    for width in (4.5, 9.0):
        for panel in (Panel("epoch", "bits/char", curves), bars, heat):
            svg, (place,) = image.draw(Figure("", [panel]), "svg", width)
            left, _, right, _ = place.box
            assert right - left > (0.75 if panel.curves else 0.3) * 72 * width
    text = "".join("".join(found.itertext()) for found in ElementTree.fromstring(svg).iter(f"{SVG}text"))
    assert f"{name[:29]}…" in text


@pytest.mark.parametrize("value", [1e299, -1e299, 0.0, 1e-300])
def test_numbers_of_any_size_can_be_drawn(value):
    curves = [Curve("a", [1, 2], [value, -value / 2]), Curve("b", [1, 2], [value, value], mark=1)]
    for curve in curves:
        assert image.draw(Figure("", [Panel("x", "y", [curve])]))[0].startswith(b"<?xml")


class Page(HTMLParser):
    """What is in a page: the texts by tag, attributes, and identifiers."""

    def __init__(self, source: str):
        super().__init__()
        self.open, self.texts, self.links, self.ids = [], {}, [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "path", "use", "image", "rect"):
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href"):
                self.links.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)


def test_a_page_stands_alone(page):
    source, page = page, Page(page)
    assert page.texts["h1"] == ["Of <b> & more"]
    assert page.texts["p"] == ["One </script> paragraph"]
    assert page.texts["th"][0] == "a<"
    assert page.texts["td"][0] == "b&"
    assert page.links
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttp", source)
    assert set(re.findall(r'https?://[^"\s]+', source)) <= {
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/2000/svg",
    }
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert all(f"{rule} 'none'" in source for rule in ("default-src", "base-uri", "form-action"))


def test_a_page_has_the_numbers_of_its_figure(page):
    page = Page(page)
    data = json.loads(page.texts["script"][0])
    assert [panel | {"log": None} for panel in data["panels"]] == [
        panel | {"log": None} for panel in EVERYTHING.to_dict()["panels"]
    ]
    assert [panel["log"] for panel in data["panels"]] == [True, False, False]
    assert data["series"] == EVERYTHING.series
    for width in ("wide", "narrow"):
        assert len(data["places"][width]) == 3
    cells = page.texts["td"][1:]
    assert cells[:3] == ["1", "0.3679", "1"]
    assert cells[19 * 3 :][:6] == ["a", "2", "2.5", "b", "1.5", "2"]


def test_a_page_has_no_table_of_a_path_over_a_heat_map():
    path = Curve("path", [1, 2, 1], [3, 4, 5])
    over = Panel("x", "y", [path], heat=Heat([[0.0, 1.0]], extent=(0, 3, 0, 9)))
    assert "<td>" not in render_figure(Figure("", [over]), "a")
    assert "<td>" in render_figure(Figure("", [Panel("x", "y", [path])]), "a")


def test_colours_of_a_page_are_left_to_its_style_sheet(page):
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert not re.search('#[0-9a-f]{6}[;"]', drawings)
    used = set(re.findall(r"var\((--\w+)\)", drawings))
    assert used > {"--paper", "--ink", "--grid", "--series0"}
    for theme in re.findall(r":root \{(.*?)\}", page):
        assert used <= set(re.findall(r"(--\w+): #[0-9a-f]{6};", theme))


def test_without_matplotlib_a_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for kind in ("png", "html"):
        with pytest.raises(ValueError) as error:
            plotting.save(EVERYTHING, tmp_path / f"figure.{kind}")
        assert str(error.value) == (
            "matplotlib is not installed: expected it for images (without `out`, figures are drawn in the terminal); "
            "try `pip install matplotlib`"
        )
    assert "gru" in plotting.text(EVERYTHING)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["figure.gif", "figure", "png"])
def test_other_kinds_of_file_are_refused(tmp_path, name):
    with pytest.raises(ValueError) as error:
        plotting.save(EVERYTHING, tmp_path / name)
    expected = f"cannot draw {tmp_path / name}: expected a name that ends in .png, .svg, .pdf or .html"
    assert str(error.value) == expected


def test_dashed_curves_of_one_series_are_told_apart():
    curves = [Curve("a", [1, 2], [n, n], dashed=n > 0, label=str(n)) for n in range(4)]
    drawn, _ = image.draw(Figure("", [Panel("x", "y", curves)]), "svg")
    dashes = re.findall(rb"stroke-dasharray: ([^;]*);", drawn)
    assert len(set(dashes)) == 3


def test_a_series_whose_colour_is_another_s_has_marks_along_its_curve():
    curves = [Curve(f"series {n}", range(20), np.full(20, n)) for n in range(9)]
    few, many = (image.draw(Figure("", [Panel("x", "y", curves[:count])]), "svg")[0] for count in (8, 9))
    assert many.count(b"<use ") >= few.count(b"<use ") + 8


def test_bands_are_explained_on_an_image_of_one_panel():
    for band, shown in ((None, False), (([0, 0], [2, 2]), True)):
        curve = Curve("a", [1, 2], [1, 1], band=band)
        drawn, _ = image.draw(Figure("Lines and bands", [Panel("x", "y", [curve])]), "svg")
        assert (b"Lines and bands" in drawn) == shown
