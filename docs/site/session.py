"""Draw a recorded session of `make poem` as a picture: the first and the last epochs, and the poem.

make poem 2>&1 | python docs/site/session.py > docs/session.svg
"""

import io
import re
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 80
SHOWN = (0, 4, -1)  # epochs
STYLES = {r"^\$ ": "bold", r"^epoch ": "green", "^(Best epoch|Time|Saved): ": "cyan"}


def choose_lines(log: str) -> list[str]:
    """The lines to show: a prompt before each command, few epochs, and all that follows them."""
    before, *epochs = re.split(r"^(?=epoch )", log.expandtabs(), flags=re.MULTILINE)
    epochs[-1], end = re.split(r"^(?=Best epoch: )", epochs[-1], maxsplit=1, flags=re.MULTILINE)
    shown = "⋮\n".join(epochs[at].rstrip("\n") + "\n" for at in SHOWN)
    command = re.compile(r"^cd poem && \.\./\S*/(?=shakegen)", re.MULTILINE)
    commands = [line for line in before.splitlines() if command.match(line)]
    return command.sub("$ ", "\n".join(["$ make poem", *commands, "", shown + "\n" + end])).splitlines()


def draw(lines: list[str]) -> str:
    """The picture, without the fonts that it would fetch."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line in lines:
        style = next((style for pattern, style in STYLES.items() if re.match(pattern, line)), "")
        console.print(Text(line, style), soft_wrap=False)
    picture = console.export_svg(title="shakegen", unique_id="session")
    return re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    print(draw(choose_lines(sys.stdin.read())))
