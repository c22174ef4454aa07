"""Draw the texts of the gallery and of the README again, from the commands above them: python docs/site/gallery.py"""

import contextlib
import re
import shlex
import tempfile
from pathlib import Path

from click.testing import CliRunner

from shakegen.cli import main

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs" / "gallery.md", ROOT / "README.md")
COMMAND = r"((?:printf '[^']*' \| )?shakegen (?:sample|complete) .*?)"
DRAWN = re.compile(rf"((?:```sh\n{COMMAND}\n```\n\n```text\n)|(?:```text\n\$ {COMMAND}\n))(.*?)```", re.DOTALL)


def draw(command: str) -> str:
    """The output of a command, which may read what `printf` prints, with a line end. The model is a pretrained one."""
    first, _, piped = command.replace("\\\n", " ").partition(" | ")
    given = shlex.split(first)[1].replace("\\n", "\n") if piped else None
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        result = CliRunner().invoke(main, shlex.split(piped or first)[1:], input=given, catch_exceptions=False)
    if result.exit_code:
        raise ValueError(f"{command}\n{result.stderr}")
    return result.stdout.rstrip("\n") + "\n"


def redraw(page: str) -> str:
    """The page with every text drawn anew."""
    return DRAWN.sub(lambda found: f"{found[1]}{draw(found[2] or found[3])}```", page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(redraw(path.read_text(encoding="utf-8")), encoding="utf-8")
