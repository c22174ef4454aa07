"""The form of a text: what is given, and where it is free."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shakegen.checks import is_whole

LENGTH = 200  # of a place without a length of its own, at most
WITHIN_LINE = ".*"


class Place(NamedTuple):
    """A free place in a text: the least and the largest number of symbols in it, and a pattern that all of it matches.

    `early` is for a given text after it that may stand earlier, too, before `least` symbols.
    """

    least: int
    most: int
    pattern: str | None = None
    early: bool = False

    def __str__(self):
        lengths = f"{self.least}" if self.least == self.most else f"{self.least}-{self.most}"
        return f"{{{'' if self.pattern == WITHIN_LINE else self.pattern or ''}:{lengths}}}"


@dataclass(frozen=True)
class Form:
    """Given texts and free places, one after the other.

    The distribution is that of the network, given that its text has the form. Each place ends where the given text
    after it first stands, so a text, as ids, has a form in one way only.

    Args:
        parts: texts and places. Texts in a row become one.
        total: the lengths of a place are those of the whole text, up to the end of the given text after the place.

    Raises:
        ValueError: there is no place, or the end of one is not determined.
    """

    parts: tuple[str | Place, ...]
    total: bool = False

    def __post_init__(self):
        parts: list[str | Place] = []
        for part in self.parts:
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part != "":
                parts.append(part)
        object.__setattr__(self, "parts", tuple(parts))
        if not any(isinstance(part, Place) for part in self.parts):
            raise ValueError("the template has no free place: expected one in braces, such as {:40}")
        for part, after in zip(self.parts, [*self.parts[1:], None], strict=True):
            if not isinstance(part, Place):
                continue
            if part.least > part.most:
                raise ValueError(f"the place {part} has no length: expected the smaller number first, as in {{:20-40}}")
            if not isinstance(after, str) and part.least != part.most:
                where = "at the end" if after is None else f"before {after}"
                raise ValueError(
                    f"the place {part} {where} has no text after it to end it: expected a text or a line end there, or "
                    f"one length, as in {{:{part.most}}}"
                )

    @property
    def longest(self) -> int:
        """An upper bound of the symbols, places and given texts together: given texts count in characters."""
        lengths = [part.most if isinstance(part, Place) else len(part) for part in self.parts]
        return max(lengths) if self.total else sum(lengths)

    @classmethod
    def template(cls, text: str, length: int = LENGTH) -> "Form":
        """The form of a template: its text is given, except for places in braces.

        `{}` is anything within a line, `{:40}` has 40 symbols, `{:20-40}` has 20 to 40, `{:20-}` 20 or more, and
        `{[a-z ]+}` or `{[a-z ]+:20-40}` matches a pattern; `{(?s).+:200}` may have line ends. `{{` and `}}` stand for
        braces.

        Args:
            text: the template.
            length: the largest length of a place without one.

        Raises:
            ValueError: it cannot be read, or the length is out of range.
        """
        check_lengths(0, length)
        return cls(tuple(read_place(content, length) if kind else content for kind, content in split_template(text)))

    @classmethod
    def between(cls, end: str, length: int = LENGTH, min_length: int | None = None) -> "Form":
        """What stands before a given text: exactly `length` symbols, or from `min_length` to `length`.

        Raises:
            ValueError: a length is out of range, or the text is empty.
        """
        least = length if min_length is None else min_length
        check_texts("end", [end])
        check_lengths(least, length)
        return cls((Place(least, length), end))

    @classmethod
    def containing(
        cls, texts: str | Iterable[str] = (), end: str | None = None, length: int = LENGTH, min_length: int = 0
    ) -> "Form":
        """A text that contains some texts, in this order, and ends with another.

        Args:
            texts: that it contains, apart from each other.
            end: it ends when it has written this, with at least `min_length` and at most `length` symbols. By default
                it ends with `length` symbols.
            length, min_length: in symbols.

        Raises:
            ValueError: a length is out of range, or a text is empty.
        """
        texts = [texts] if isinstance(texts, str) else [*texts]
        check_texts("required", texts)
        check_lengths(min_length, length)
        parts: list[str | Place] = []
        for text in texts:
            parts += [Place(0, length), text]
        if end is None:
            parts.append(Place(length, length))
        else:
            check_texts("end", [end])
            parts += [Place(min_length, length, early=True), end]
        return cls(tuple(parts), total=True)


def check_texts(name: str, texts: Sequence[str]) -> None:
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"the {name} text is {text!r}: expected a string")
        if not text:
            raise ValueError(f"the {name} text is empty: expected one character or more")


def check_lengths(least: int, most: int) -> None:
    if not is_whole(most, 1):
        raise ValueError(f"the length is {most!r}: expected a number of characters, 1 or more")
    if not is_whole(least, 0, most):
        raise ValueError(f"the min-length is {least!r}: expected a number from 0 to the length, {most}")


def split_template(text: str) -> Iterator[tuple[bool, str]]:
    """The parts of a template: whether it is a place, and the text or what stands in the braces."""
    at = 0
    while at < len(text):
        brace = text[at]
        if text.startswith((brace * 2), at) and brace in "{}":
            yield False, brace
            at += 2
        elif brace == "{":
            end = find_end(text, at)
            yield True, text[at + 1 : end]
            at = end + 1
        elif brace == "}":
            raise ValueError(f"the template has a }} without its {{, {describe(text, at)}: write }}}} for a brace")
        else:
            end = min((found for found in (text.find(b, at) for b in "{}") if found >= 0), default=len(text))
            yield False, text[at:end]
            at = end


def find_end(text: str, start: int) -> int:
    """Where the brace that begins a place is closed. A pattern may have braces, and any behind a backslash."""
    depth, at = 0, start
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] in "{}":
            depth += 1 if text[at] == "{" else -1
            if not depth:
                return at
        at += 1
    raise ValueError(
        f"the template has a {{ without its }}, {describe(text, start)}: expected a free place such as {{:40}}, or "
        "{{ for a brace"
    )


def describe(text: str, at: int) -> str:
    return f"in line {text.count(chr(10), 0, at) + 1}"


def read_place(content: str, length: int) -> Place:
    """The place that stands for what is between braces."""
    lengths = re.search(r":(\d+)\Z|:(\d*)-(\d*)\Z|\Z", content)
    exact, least, most = lengths.groups() if lengths else ("", "", "")
    pattern = content[: lengths.start()] if lengths else content
    if re.fullmatch(r"\d*-?\d*", pattern) and pattern:
        raise ValueError(f"the place {{{content}}} is not clear: expected {{:{pattern}}} for a length")
    pattern = pattern or WITHIN_LINE
    if exact:
        return Place(int(exact), int(exact), pattern)
    return Place(int(least or 0), int(most) if most else max(length, int(least or 0)), pattern)
