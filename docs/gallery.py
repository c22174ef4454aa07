"""Draw the texts of docs/gallery.md again, from the commands above them: python docs/gallery.py

The commands of pretrained models are run. Texts of other models stay as they are: their training depends on the clock.
"""

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from shakegen.cli import main

PAGE = Path(__file__).with_name("gallery.md")
DRAWN = re.compile(
    r"```sh\n((?:printf '[^']*' \| )?shakegen (?:sample|complete) -m sonnets-.*?)\n```\n\n```text\n(.*?)```", re.DOTALL
)


def draw(command: str) -> str:
    """The output of a command, which may read what `printf` prints, with a line end."""
    first, _, piped = command.replace("\\\n", " ").partition(" | ")
    given = shlex.split(first)[1].replace("\\n", "\n") if piped else None
    result = CliRunner().invoke(main, shlex.split(piped or first)[1:], input=given, catch_exceptions=False)
    if result.exit_code:
        raise ValueError(f"{command}\n{result.stderr}")
    return result.stdout.rstrip("\n") + "\n"


def redraw(page: str) -> str:
    """The page with every text of a pretrained model drawn anew."""
    return DRAWN.sub(lambda found: f"```sh\n{found[1]}\n```\n\n```text\n{draw(found[1])}```", page)


if __name__ == "__main__":
    PAGE.write_text(redraw(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
