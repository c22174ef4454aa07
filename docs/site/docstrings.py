"""The docstrings of the package as Sphinx reads them: plain sentences in, reStructuredText out."""

import re

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def translate_docstring(lines: list[str], names: dict[str, str], near: str = "") -> list[str]:
    """A docstring in which names in backticks are links to public names, or else code, and all else is text.

    Napoleon makes lists of `Args:` and `Raises:`. It would take the text of `Returns:` before a colon for a type.

    Args:
        lines: of the docstring.
        names: for the last part of each public name, the name under which the reference has it.
        near: a prefix such as `shakegen.text.`. A single word in lower case links only to names that begin with it, or
            to those of `shakegen` itself.
    """
    translated, in_example = [], False
    for line in lines:
        begins = line == "Example:"
        in_example = begins or (in_example and (not line or line.startswith(" ")))
        if line in ("Returns:", "Yields:"):
            translated.append(f":{line.lower()}")
        else:
            translated.append(line + ":" * begins if in_example else translate_line(line, names, near))
    return translated


def translate_line(line: str, names: dict[str, str], near: str) -> str:
    parts = CODE.split(line)  # text and code by turns
    parts[::2] = [re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
    parts[2::2] = [re.sub(r"^(?=\w)", r"\\ ", part) for part in parts[2::2]]
    parts[1::2] = [translate_code(code, names, near) for code in parts[1::2]]
    return "".join(parts)


def translate_code(code: str, names: dict[str, str], near: str) -> str:
    """Code in backticks; a public name, or the end of its full name, becomes a link."""
    home = names.get(code.rpartition(".")[2], "")
    far = code.isidentifier() and code.islower() and home.count(".") > 1 and not home.startswith(near)
    return f":py:obj:`{code} <{home}>`" if f".{home}".endswith(f".{code}") and not far else f"``{code}``"
