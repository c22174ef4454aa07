"""Texts from files, folders, archives and standard input, as blocks of characters."""

from shakegen.text.reading.decoding import decode_blocks
from shakegen.text.reading.normalising import normalize_source, text8
from shakegen.text.reading.places import from_path
from shakegen.text.reading.source import Source, concatenate, from_bytes, from_file, from_text

__all__ = [
    "Source",
    "concatenate",
    "decode_blocks",
    "from_bytes",
    "from_file",
    "from_path",
    "from_text",
    "normalize_source",
    "text8",
]
