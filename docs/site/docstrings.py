"""The docstrings of the package as Sphinx reads them: plain sentences in, reStructuredText out."""

import re

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def translate_docstring(lines: list[str], names: dict[str, str]) -> list[str]:
    """A docstring in which names in backticks are links to public names, or else code, and all else is text.

    Args:
        lines: of the docstring.
        names: for the last part of each public name, the name under which the reference has it.
    """
    example = False
    translated = []
    for line in lines:
        example = line == "Example:" or (example and line.startswith((" ", "\n")) or not line and example)
        translated.append(line + ":" * (line == "Example:") if example else translate_line(line, names))
    return translated


def translate_line(line: str, names: dict[str, str]) -> str:
    parts = CODE.split(line)  # text and code by turns
    parts[::2] = [re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
    parts[2::2] = [re.sub(r"^(?=\w)", r"\\ ", part) for part in parts[2::2]]
    parts[1::2] = [translate_code(code, names) for code in parts[1::2]]
    return "".join(parts)


def translate_code(code: str, names: dict[str, str]) -> str:
    """Code in backticks; a public name becomes a link."""
    name = names.get(re.sub(r"^(\w+\.)*", "", code)) if re.fullmatch(r"[\w.]+", code) else None
    return f":py:obj:`{code} <{name}>`" if name else f"``{code}``"
