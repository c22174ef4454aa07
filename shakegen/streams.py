"""What reaches a terminal: texts of strangers cannot move its cursor, change its title or turn their order round."""

import sys

TURNS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]  # they change the order of the characters around them
NONE = [*range(0xD800, 0xE000), 0xFFFE, 0xFFFF]  # no characters at all
CONTROLS = [*range(0x20), *range(0x7F, 0xA0), *TURNS, *NONE]
ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in CONTROLS if chr(code) not in "\n\t"}


def escape(text: str) -> str:
    """A text where control characters, other than line ends and tabs, show as Python writes them, such as \\x1b."""
    return text.translate(ESCAPES)


class Screen:
    """A terminal that all texts are escaped for.

    It has no `buffer`, so that nobody writes past it.

    Attributes:
        plain: the stream for texts with control sequences of our own.
    """

    def __init__(self, plain):
        self.plain = plain

    def write(self, text: str) -> int:
        return self.plain.write(escape(text))

    def writelines(self, lines) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str):
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.plain, name)


def protect_terminal() -> None:
    """From now on, escape all that this process writes to a terminal by `sys.stdout` and `sys.stderr`."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if is_terminal(stream) and not isinstance(stream, Screen):
            setattr(sys, name, Screen(stream))


def is_terminal(stream) -> bool:
    """Whether a stream is a terminal; None is the stream of a process without one."""
    return hasattr(stream, "isatty") and stream.isatty()


def plain(stream):
    """A stream that writes control sequences as they are; texts of strangers among them must be escaped before."""
    return stream.plain if isinstance(stream, Screen) else stream
