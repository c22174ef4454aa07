"""Every block of Python and every command of the tutorials runs, and each has a notebook with all of them."""

import nbformat
import notebooks
import pytest
from page_runner import Page, shrink_command

PAGES = notebooks.list_pages()
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a page, a list of parts, in an empty folder."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as the folder of a script is

    def run_all(parts, name="page.md"):
        page = Page(name)
        for part in parts:
            if part.kind in ("python", "sh"):
                page.run(*part)
        return tmp_path

    return run_all


@every_page
def test_every_block_of_a_tutorial_runs(page, run):
    parts = notebooks.read_page(page)
    assert {"python", "sh"} & {part.kind for part in parts}, "a page without a block teaches nothing to do"
    run(parts, page.name)


@every_page
def test_a_notebook_has_all_of_its_page(page):
    notebook = notebooks.make_notebook(page)
    nbformat.validate(notebook)
    assert notebook.cells[0].source == notebooks.INSTALL
    parts = notebooks.read_page(page)
    blocks = [part.source for part in parts if part.kind in ("python", "sh")]
    cells = [cell.source for cell in notebook.cells[1:] if cell.cell_type == "code"]
    assert [one.replace("!", "").split() for one in blocks] == [
        cell.removeprefix("%%bash").replace("!", "").split() for cell in cells
    ]
    texts = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert all(part.source.strip() in texts for part in parts if part.kind == "text")


def test_the_table_of_contents_names_every_tutorial():
    contents = (notebooks.TUTORIALS / "README.md").read_text(encoding="utf-8")
    assert not [page.name for page in PAGES if f"]({page.name})" not in contents]


def part(kind, source):
    return notebooks.Part(kind, source, 7)


def test_blocks_share_their_names_and_their_folder(run):
    folder = run([
        part("python", "from pathlib import Path\ntext = 'thou art'\nPath('a.txt').write_text(text)\n"),
        part("sh", "mkdir sub\ncat a.txt a.txt | tr a-z A-Z > sub/b.txt\n"),
        part("python", "text = Path('sub/b.txt').read_text()\nPath('c.txt').write_text(text.lower())\n"),
    ])  # fmt: skip
    assert (folder / "c.txt").read_text() == "thou artthou art"


def test_commands_run_in_this_process_with_small_budgets(run):
    text = "Shall I compare thee to a summer's day? Thou art more lovely and more temperate. " * 30
    folder = run([
        part("sh", f'echo "{text}" > poem.txt\n'),
        part("sh", "shakegen train poem.txt --cell rnn --layers 1 --units 64 --quiet # trains\n"),
        part("python", "import shakegen\nmodel = shakegen.load('models/poem-rnn.h5')\n"),
        part("python", "assert (len(model.history), model.config.units) == (1, 8)\n"),
        part("sh", 'echo "Shall I" | shakegen sample --seed - --length 30 > sample.txt\n'),
    ])  # fmt: skip
    assert len((folder / "sample.txt").read_text()) > 30


@pytest.mark.parametrize(
    ("commands", "code"),
    [("shakegen wrote", 2), ("shakegen info none.h5", 1), ("nosuchcommand", 127), ("false | cat\ntrue", 1)],
)
def test_a_command_that_fails_fails_its_page(run, commands, code):
    with pytest.raises(AssertionError, match=f"page.md, line 7: exit code {code} from\n{commands.splitlines()[0]}"):
        run([part("sh", commands)])


def test_an_error_in_python_has_the_line_of_the_page(run):
    with pytest.raises(ZeroDivisionError) as caught:
        run([part("python", "1 + 1\n1 / 0\n")])
    assert (caught.traceback[-1].path, caught.traceback[-1].lineno + 1) == ("page.md", 8)


def test_budgets_in_python_become_small(run):
    run([
        part("python", "EPOCHS, other = 60, 1\nUNITS = 128\nsettings = dict(epochs=60, units=4, length=200, seed=1)\n"),
        part("python", "assert (UNITS, settings) == (8, {'epochs': 2, 'units': 4, 'length': 20, 'seed': 1})\n"),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("command", "small"),
    [
        ("train a.txt", "train a.txt --epochs 1 --layers 1 --units 8"),
        ("train a.txt --resume --epochs 90", "train a.txt --resume --epochs 90 --epochs 3 --layers 1 --units 8"),
        ("train a.txt --minutes 60 --units 4", "train a.txt --units 4 --epochs 4 --layers 1 --units 4"),
        (
            "compare a.txt --cells a,b:C,b:C:d=1",
            "compare a.txt --cells a,b:C,b:C:d=1 --cells b:C:d=1 --epochs 1 --layers 1 --repeats 1 --units 8",
        ),
        ("sample --length 300", "sample --length 300"),
        ("--version", "--version"),
        ("wrote a.txt", "wrote a.txt"),
    ],
)
def test_budgets_of_commands_become_small(command, small):
    assert " ".join(shrink_command(command.split())) == small


@pytest.mark.parametrize(
    ("text", "line"),
    [("- a list\n\n  ```sh\n  ls\n  ```\n", 3), ("Text\n\n```\nls\n```\n", 3), ("Text\n\n    ls\n", 3)],
)
def test_a_block_that_would_not_run_is_refused(tmp_path, text, line):
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        notebooks.read_page(path)
    assert str(caught.value) == (
        f"page.md, line {line}: expected a fence with ```python, ```sh or ```text that stands in no list"
    )


def test_links_to_documents_are_dropped_and_pictures_stay():
    prose = "[a](b.md), [c](https://example.org), ![d](e.svg)"
    assert notebooks.drop_links(prose) == "a, [c](https://example.org), ![d](e.svg)"


def test_commands_become_cells():
    assert notebooks.make_cell("# first\nls -l \\\n  a\n\nshakegen info b\n") == (
        "# first\n!ls -l \\\n  a\n\n!shakegen info b"
    )
    for commands in ("cat > a.txt <<'END'\nhello\nEND\n", "sleep 1 &\nwait\n"):
        assert notebooks.make_cell(commands) == f"%%bash\n{commands.rstrip()}"
