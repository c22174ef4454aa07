"""Figures and tables on one self-contained web page: nothing is fetched, it suits phones and dark screens."""

import html
import json
import re
import string
from dataclasses import astuple
from importlib import resources

import numpy as np

from shakegen.plotting import image
from shakegen.plotting.figure import Figure, Fragment, Panel, Table, shown
from shakegen.plotting.scale import written
from shakegen.plotting.theme import DARK, LIGHT, NAMED, Theme

WIDTHS = {"wide": 9.0, "narrow": 4.5}  # inches; the page shows the one that fits


def page(title: str, *parts: Figure | Table | Fragment | str) -> str:
    """A web page of paragraphs, tables, figures and what else brings its own markup, in the order given.

    The numbers of curves and bars stand below their figure in a table that opens, and beside the pointer.

    Raises:
        ValueError: there is a figure, and matplotlib is not installed; the message says how to get it.
    """
    body = [section(part, f"{number}") for number, part in enumerate(parts)]
    template = string.Template(resources.files("shakegen.plotting").joinpath("page.html").read_text(encoding="utf-8"))
    themes = {"light": variables(LIGHT), "dark": variables(DARK)}
    own = [part for part in parts if isinstance(part, Fragment)]
    style, script = "\n".join(part.style for part in own), "\n".join(part.script for part in own)
    return template.substitute(themes, title=escaped(title), body="\n".join(body), style=style, script=script)


def section(part: Figure | Table | Fragment | str, salt: str) -> str:
    if isinstance(part, str):
        return f"<p>{escaped(part)}</p>"
    if isinstance(part, Fragment):
        return part.markup
    return table(part) if isinstance(part, Table) else figure(part, salt)


def escaped(text) -> str:
    """Text for HTML, `?` for what no file in UTF-8 can hold."""
    return html.escape(str(text).encode("utf-8", "replace").decode("utf-8"))


def colours(theme: Theme) -> dict[str, str]:
    """A theme's colours by the names of their variables in the style sheet."""
    series = {f"series{number}": colour for number, colour in enumerate(theme.series)}
    return {"paper": theme.paper, "ink": theme.ink, "grid": theme.grid, **series}


def variables(theme: Theme) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours(theme).items())


def table(part: Table) -> str:
    caption = f"<caption>{escaped(part.title)}</caption>" if part.title else ""
    head = "".join(f"<th>{escaped(name)}</th>" for name in part.header)
    rows = ("".join(f"<td>{escaped(cell)}</td>" for cell in row) for row in part.rows)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def figure(part: Figure, salt: str) -> str:
    drawings, places = [], {}
    for name, width in WIDTHS.items():
        drawing, found = image.draw(part, "svg", width, NAMED, salt=f"{salt}{name}")
        drawings.append(inline(drawing.decode(), name, part.title))
        places[name] = [astuple(place) for place in found]
    data = part.to_dict() | {"series": part.series, "places": places}
    for panel, found in zip(part.panels, data["panels"]):
        found["log"] = [panel.log_x, panel.log_y]
    data = json.dumps(data).replace("<", "\\u003c")
    tables = "\n".join(filter(None, (numbers(panel) for panel in part.panels)))
    tables = f"<details><summary>Numbers</summary>\n{tables}</details>" if tables else ""
    script = f'<script type="application/json">{data}</script>'
    return f"<figure>{''.join(drawings)}<output hidden></output>{script}</figure>\n{tables}"


def inline(svg: str, name: str, title: str) -> str:
    """An SVG file of matplotlib's as a part of a page, its colours those of the style sheet."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    referred = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in referred else "", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    for colour, variable in zip(
        [NAMED.paper, NAMED.ink, NAMED.grid, *NAMED.series], re.findall("--(.*?):", variables(NAMED))
    ):
        svg = svg.replace(colour, f"var(--{variable})")
    return svg.replace("<svg", f'<svg class="{name}" role="img" aria-label="{escaped(title)}"', 1)


def numbers(panel: Panel) -> str:
    """A table of the numbers of a panel's curves or bars."""
    if panel.bars:
        rows = [
            (group, *(cell(bars.values[number]) for bars in panel.bars)) for number, group in enumerate(panel.groups)
        ]
        return table(Table([panel.x_label, *(bars.name for bars in panel.bars)], rows, panel.title))
    if not panel.curves:
        return ""
    places = np.unique(np.concatenate([shown(curve.x, False) for curve in panel.curves]))
    columns = [dict(zip(map(float, curve.x), curve.y)) for curve in panel.curves]
    rows = [(written(x), *(cell(column.get(x, np.nan)) for column in columns)) for x in places.tolist()]
    return table(Table([panel.x_label, *(curve.name for curve in panel.curves)], rows, panel.title))


def cell(value) -> str:
    return f"{value:.4g}" if np.isfinite(value) else ""
