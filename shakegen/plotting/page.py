"""Figures and tables on one self-contained web page. It fetches nothing and suits phones and dark screens."""

import html
import json
import re
import string
from importlib import resources

import numpy as np

from shakegen.plotting import image
from shakegen.plotting.figure import Figure, Fragment, Panel, Table, finite_values, to_json
from shakegen.plotting.scale import format_number
from shakegen.plotting.theme import DARK, LIGHT, NAMED, Theme

WIDTHS = {"wide": 9.0, "narrow": 4.5}  # inches; the page shows the drawing that fits


def page(title: str, *parts: Figure | Table | Fragment | str) -> str:
    """A web page of paragraphs, tables, figures and fragments, in the order given.

    A table below each figure, which opens on a click, has the numbers of its curves and bars. The pointer shows them
    too.

    Raises:
        ValueError: there is a figure, but matplotlib is not installed; the message says how to get it.
    """
    body = [render_part(part, f"{number}") for number, part in enumerate(parts)]
    fragments = [part for part in parts if isinstance(part, Fragment)]
    style, script = "\n".join(part.style for part in fragments), "\n".join(part.script for part in fragments)
    parts_of_page = {"body": "\n".join(body), "style": shared_style() + style, "script": script}
    return string.Template(read_file("page.html")).substitute(parts_of_page, title=escape_html(title))


def shared_style() -> str:
    """The style sheet that all pages share, with the colours of both themes."""
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {css_variables(DARK)} }} }}"
    return f":root {{ {css_variables(LIGHT)} }}\n{dark}\n{read_file('page.css')}"


def read_file(name: str, package: str = "shakegen.plotting") -> str:
    """A template, script or style sheet of a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def render_part(part: Figure | Table | Fragment | str, salt: str) -> str:
    if isinstance(part, str):
        return f"<p>{escape_html(part)}</p>"
    if isinstance(part, Fragment):
        return part.markup
    return render_table(part) if isinstance(part, Table) else render_figure(part, salt)


def escape_html(text) -> str:
    """Text for HTML; `?` for characters that UTF-8 cannot encode."""
    return html.escape(str(text).encode("utf-8", "replace").decode("utf-8"))


def script_json(value) -> str:
    """JSON that can stand in a script of a page: nothing in it ends the script; null for what is no finite number."""
    return json.dumps(to_json(value), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def css_colours(theme: Theme) -> dict[str, str]:
    """The colours of a theme by the names of their variables in the style sheet."""
    series = {f"series{number}": colour for number, colour in enumerate(theme.series)}
    return {"paper": theme.paper, "ink": theme.ink, "grid": theme.grid, **series}


def css_variables(theme: Theme) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in css_colours(theme).items())


def render_table(part: Table) -> str:
    caption = f"<caption>{escape_html(part.title)}</caption>" if part.title else ""
    head = "".join(f"<th>{escape_html(name)}</th>" for name in part.header)
    rows = ("".join(f"<td>{escape_html(cell)}</td>" for cell in row) for row in part.rows)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def render_figure(part: Figure, salt: str) -> str:
    drawings, places = [], {}
    for name, width in WIDTHS.items():
        drawing, places[name] = image.draw(part, "svg", width, NAMED, salt=f"{salt}{name}")
        drawings.append(inline_svg(drawing.decode(), name, part.title))
    data = part.to_dict() | {"series": part.series, "places": places}
    for panel, panel_data in zip(part.panels, data["panels"]):
        panel_data["log"] = panel.log_y
    tables = "\n".join(filter(None, (render_numbers(panel) for panel in part.panels)))
    tables = f"<details><summary>Numbers</summary>\n{tables}</details>" if tables else ""
    script = f'<script type="application/json">{script_json(data)}</script>'
    return f"<figure>{''.join(drawings)}<output hidden></output>{script}</figure>\n{tables}"


def inline_svg(svg: str, name: str, title: str) -> str:
    """An SVG file from matplotlib as a part of a page, with the colours of the style sheet."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    referred = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in referred else "", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    for variable, colour in css_colours(NAMED).items():
        svg = svg.replace(colour, f"var(--{variable})")
    return svg.replace("<svg", f'<svg class="{name}" role="img" aria-label="{escape_html(title)}"', 1)


def render_numbers(panel: Panel) -> str:
    """A table of the numbers of the curves or bars in a panel."""
    if panel.bars:
        rows = [
            (group, *(format_cell(bars.values[number]) for bars in panel.bars))
            for number, group in enumerate(panel.groups)
        ]
        return render_table(Table([panel.x_label, *(bars.name for bars in panel.bars)], rows, panel.title))
    if not panel.curves or panel.heat:  # a path over a heat map may come twice to one place
        return ""
    places = np.unique(np.concatenate([finite_values(curve.x, False) for curve in panel.curves]))
    columns = [dict(zip(map(float, curve.x), curve.y)) for curve in panel.curves]
    rows = [(format_number(x), *(format_cell(column.get(x, np.nan)) for column in columns)) for x in places.tolist()]
    return render_table(Table([panel.x_label, *(curve.name for curve in panel.curves)], rows, panel.title))


def format_cell(value) -> str:
    return f"{value:.4g}" if np.isfinite(value) else ""
