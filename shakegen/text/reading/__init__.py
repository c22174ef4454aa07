"""Where texts come from: files, folders, archives, standard input, as blocks of characters."""

from shakegen.text.reading.decoding import decoded_blocks, known_encoding
from shakegen.text.reading.normalising import NORMALISATIONS, normalised, text8
from shakegen.text.reading.places import from_path
from shakegen.text.reading.source import Source, concatenated, from_bytes, from_file
from shakegen.text.reading.unpacking import unpacked

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
