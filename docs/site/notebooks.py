"""Notebooks of the tutorials, for Colab or Jupyter: `python docs/site/notebooks.py FOLDER` writes them there.

A notebook has the texts, the Python and the commands of its page, in order. The tests read pages by `read_page` too.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
from markdown_it import MarkdownIt
from nbformat import v4

TUTORIALS = Path(__file__).parent.parent / "tutorials"
KINDS = ("python", "sh", "text")  # the last one is output
INSTALL = """# The dot is the folder of a clone of shakegen.
# Without a clone: "shakegen[plot,subword] @ git+ADDRESS", with the address of the repository.
%pip install --quiet '.[plot,subword]'"""


class Part(NamedTuple):
    """A part of a page.

    Attributes:
        kind: "prose", or the language of a block of code.
        source: its lines; of a block, without the fences.
        line: the number of its first line in the page, from 1.
    """

    kind: str
    source: str
    line: int


def list_pages(folder: Path = TUTORIALS) -> list[Path]:
    """The tutorials; README.md is their table of contents."""
    return sorted(path for path in folder.glob("*.md") if path.name != "README.md")


def read_page(path: Path) -> list[Part]:
    """A page as prose and blocks, in order.

    Raises:
        ValueError: a block of code stands in a list or a quotation, is indented, or is of another language.
    """
    text = path.read_text(encoding="utf-8")
    lines, parts, begin = text.splitlines(keepends=True), [], 0
    for token in MarkdownIt("commonmark").parse(text):
        if token.type not in ("fence", "code_block") or token.info.startswith("{"):
            continue  # prose, or a directive of MyST
        first, end = token.map
        if token.level or token.info not in KINDS:
            expected = "expected a fence with ```python, ```sh or ```text that stands in no list"
            raise ValueError(f"{path.name}, line {first + 1}: {expected}")
        parts += [Part("prose", "".join(lines[begin:first]), begin + 1), Part(token.info, token.content, first + 2)]
        begin = end
    parts.append(Part("prose", "".join(lines[begin:]), begin + 1))
    return [part for part in parts if part.source.strip()]


def make_notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook of a page. Output is shown as text: what the reader's own run gives stands below its cell."""
    cells = [v4.new_code_cell(INSTALL)]
    prose = ""
    for part in [*read_page(path), None]:
        if part and part.kind in ("prose", "text"):
            prose += part.source if part.kind == "prose" else f"```text\n{part.source}```\n"
            continue
        if prose:
            cells.append(v4.new_markdown_cell(drop_links(prose.strip())))
            prose = ""
        if part:
            cells.append(v4.new_code_cell(part.source.rstrip() if part.kind == "python" else make_cell(part.source)))
    for number, cell in enumerate(cells):
        cell.id = f"{path.stem}-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def make_cell(commands: str) -> str:
    """Commands as a cell: each after a `!`, or all to bash, if one reads lines below it or runs beside others."""
    if re.search(r"<<|&$", commands, re.MULTILINE):
        return f"%%bash\n{commands.rstrip()}"
    lines, goes_on = [], False
    for line in commands.rstrip().splitlines():
        lines.append(line if goes_on or not line or line.startswith("#") else f"!{line}")
        goes_on = line.endswith("\\")
    return "\n".join(lines)


def drop_links(prose: str) -> str:
    """Prose without its links to other documents, which are not beside a notebook. Its commands draw its pictures."""
    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?://)[^)]*\)", r"\1", prose)


def write_notebooks(folder: Path) -> None:
    """Write the notebook of each page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in list_pages():
        nbformat.write(make_notebook(path), folder / f"{path.stem}.ipynb")


def show_link(app, page: str, source: list[str]) -> None:
    """End each tutorial of the site with a link to its notebook."""
    path = Path(app.srcdir) / f"{page}.md"
    if path in list_pages():
        source[0] += f'\n<p><a href="../../notebooks/{path.stem}.ipynb" download>This page as a notebook</a></p>\n'


def setup(app):
    """Let Sphinx write the notebooks into the site."""
    app.connect("source-read", show_link)
    app.connect("build-finished", lambda app, error: error or write_notebooks(Path(app.outdir) / "notebooks"))
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    write_notebooks(Path(sys.argv[1]))
