"""Where texts come from: files, folders, archives, standard input, as blocks of characters."""

from shakegen.reading.decoding import decoded_blocks, known_encoding
from shakegen.reading.normalising import NORMALISATIONS, normalised, text8
from shakegen.reading.places import from_path
from shakegen.reading.source import Source, concatenated, from_bytes, from_file
from shakegen.reading.unpacking import unpacked

__all__ = [
    "NORMALISATIONS",
    "Source",
    "concatenated",
    "decoded_blocks",
    "from_bytes",
    "from_file",
    "from_path",
    "known_encoding",
    "normalised",
    "text8",
    "unpacked",
]
