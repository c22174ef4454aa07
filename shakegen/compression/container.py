"""Compressed files: any bytes, written with a model, and read again with the same one.

A file is a header and blocks. The header has 3 bytes that say what it is, the version of the format, and 8 bytes of the
model's fingerprint. A block stands for about two million bytes. It has a byte of flags with the number of its lanes,
the number of its symbols, the length of each lane, a checksum (CRC-32) of all these and of the lanes, and the lanes. A
block that the model does not make smaller is stored as it is, like one lane. The last block is followed by a checksum
of the original. Numbers are in base 128, the lowest digits first.
"""

import codecs
import hashlib
import itertools
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from shakegen.cells.graph import trace
from shakegen.cells.program import structure_of
from shakegen.compression import block
from shakegen.compression.exact_network import ExactNetwork, round_constants
from shakegen.compression.range_coder import DamageError
from shakegen.inference.threads import get_blas
from shakegen.model.model import LanguageModel
from shakegen.text.spelling import Spelling
from shakegen.text.vocabulary import Vocabulary

MAGIC, VERSION, PRINT, CHECK = b"SHK", 1, 8, 4  # of bytes
PIECE = block.MOST_LANES * block.LANE  # bytes of the original in a block
MOST = PIECE + 4  # with a line end and a character that began in the block before
STORED, LINE_ENDS, LAST, LANES = 1, 2, 4, 3  # flags; by how many bits the number of lanes is shifted
TEXT = 0.5  # the share of symbols that a model must know to be asked at all
DIGIT, MORE, LONGEST = 7, 1 << 7, 5  # bits of a digit; its mark that more follow; digits

Watch = Callable[[float], None]


class Sizes(NamedTuple):
    """Bytes before and after."""

    original: int
    compressed: int


class CompressedFileError(ValueError):
    """A file is none of `compress`, is damaged, or belongs to another model."""


def fingerprint(model: LanguageModel) -> bytes:
    """What tells a model from all others: its symbols, equations and weights, in 8 bytes of a sha256."""
    config = model.config
    equations = structure_of(round_constants(trace(config.make_layer(), config.units).after.values()))
    spelling = [Spelling.ORDER, Spelling.BACK] * (config.level == "word")
    facts = [
        config.level,
        *spelling,
        config.adds_layers,
        model.vocabulary.to_json(),
        repr(equations),
        sorted(model.weights),
    ]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for name in sorted(model.weights):
        digest.update(np.asarray(model.weights[name], "<f4").tobytes())
    return digest.digest()[:PRINT]


def compress(model: LanguageModel, source: BinaryIO, target: BinaryIO, watch: Watch | None = None) -> Sizes:
    """Write the bytes of a file so that they are the fewer, the better a model predicts them.

    Args:
        model: of the next character, or word.
        source: open for reading, bytes of any kind; a text in UTF-8 is what becomes small.
        target: open for writing.
        watch: called with the number of bytes of the source that were read since the last call.

    Returns:
        The number of bytes read and written.

    Raises:
        Inexact: the arithmetic of this machine is not that of IEEE 754.
    """
    network, read, checksum = ExactNetwork(model.config, model.weights), 0, 0
    written = target.write(MAGIC + bytes([VERSION]) + fingerprint(model))
    for raw, text, last in read_pieces(source):
        read, checksum = read + len(raw), zlib.crc32(raw, checksum)
        written += target.write(make_block(network, model.vocabulary, raw, text, LAST * last, watch or ignore))
    return Sizes(read, written + target.write(checksum.to_bytes(CHECK, "big")))


def ignore(count: float) -> None:
    """Watch nothing."""


def read_pieces(source: BinaryIO) -> Iterator[tuple[bytes, str, bool]]:
    """Pieces of a file, at least one, as bytes and as text, and whether it is the last. No character is cut."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    following = source.read(PIECE)
    while True:
        raw, following = following, source.read(PIECE)
        if raw.endswith(b"\r") and following:  # else neither block would have whole line ends
            raw, following = raw[:-1], b"\r" + following
        text = decoder.decode(raw, final=not following)
        yield to_bytes(text), text, not following
        if not following:
            return


def to_bytes(text: str) -> bytes:
    """The bytes of a text; bytes outside of UTF-8 come back as they were."""
    return text.encode("utf-8", "surrogateescape")


def make_block(network: ExactNetwork, vocabulary: Vocabulary, raw: bytes, text: str, flags: int, watch: Watch) -> bytes:
    """A block of bytes that are a text: coded where that makes it smaller, or else as it is."""
    ends = LINE_ENDS * (text.count("\r\n") == text.count("\r") == text.count("\n") > 0)
    lines = text.replace("\r\n", "\n") if ends else text
    symbols = list(itertools.chain.from_iterable(vocabulary.symbols_of([lines])))
    stored = join_block(flags | STORED, 0, [raw])
    if sum(symbol in vocabulary for symbol in symbols) <= TEXT * len(symbols):
        watch(len(raw))
        return stored
    weight = len(raw) / len(symbols)
    lanes = get_blas().call(1, block.encode, network, vocabulary, symbols, lambda count: watch(count * weight))
    return min(stored, join_block(flags | ends | len(lanes) << LANES, len(symbols), lanes), key=len)


def join_block(flags: int, symbols: int, lanes: list[bytes]) -> bytes:
    """The bytes of a block."""
    head, content = bytes([flags]) + b"".join(map(to_digits, [symbols, *map(len, lanes)])), b"".join(lanes)
    return head + zlib.crc32(content, zlib.crc32(head)).to_bytes(CHECK, "big") + content


def to_digits(number: int) -> bytes:
    """A number in base 128, lowest digit first; all digits but the last have their highest bit set."""
    digits = bytearray()
    while number >> DIGIT:
        digits.append(number & MORE - 1 | MORE)
        number >>= DIGIT
    return bytes([*digits, number])


def decompress(
    models: Iterable[LanguageModel],
    source: BinaryIO,
    target: BinaryIO,
    watch: Watch | None = None,
    title: str = "the file",
) -> Sizes:
    """Write the bytes that a file was before `compress`.

    Memory is bounded, whatever the file says. Whether all is right is known at the end only: keep nothing of `target`
    if there is an error.

    Args:
        models: candidates; the first that the file was compressed with is used.
        source: open for reading.
        target: open for writing.
        watch: called with the number of bytes of the source that were read since the last call.
        title: of the file, for errors.

    Returns:
        The number of bytes written and read.

    Raises:
        CompressedFileError: none of the models is that of the file, or the file is damaged or none of `compress`.
        Inexact: the arithmetic of this machine is not that of IEEE 754.
    """
    reader = Reader(source)
    try:
        model = find_model(models, reader, title)
        network, written, checksum, flags = ExactNetwork(model.config, model.weights), 0, 0, 0
        while not flags & LAST:
            flags, raw = read_block(network, model.vocabulary, reader, watch or ignore)
            checksum = zlib.crc32(raw, checksum)
            written += target.write(raw)
        if reader.take(CHECK) != checksum.to_bytes(CHECK, "big") or source.read(1):
            raise DamageError
    except (DamageError, UnicodeEncodeError):
        raise CompressedFileError(
            f"{title} is damaged or cut short: expected it whole, as `shakegen compress` wrote it; copy it again"
        ) from None
    return Sizes(written, reader.count)


def find_model(models: Iterable[LanguageModel], reader: "Reader", title: str) -> LanguageModel:
    """The model that a file was compressed with, from its header."""
    start = reader.read(len(MAGIC))
    if start != MAGIC:
        raise CompressedFileError(f"{title} is not a compressed file: expected one that `shakegen compress` wrote")
    (version,) = reader.take(1)
    if version != VERSION:
        raise CompressedFileError(
            f"{title} has version {version}, this shakegen reads version {VERSION}; try another shakegen"
        )
    wanted = reader.take(PRINT)
    for model in models:
        if fingerprint(model) == wanted:
            return model
    raise CompressedFileError(
        f"{title} was compressed with another model (its fingerprint is {wanted.hex()}): expected the very same, by "
        "the same version of shakegen; name it with `model`"
    )


def read_block(network: ExactNetwork, vocabulary: Vocabulary, reader: "Reader", watch: Watch) -> tuple[int, bytes]:
    """The flags of the next block, and the bytes that it stands for."""
    before = reader.count
    flags = reader.take(1)[0]
    head = bytes([flags])
    symbols, *lengths = (reader.take_number() for _ in range(1 + (flags >> LANES or flags & STORED)))
    head += b"".join(map(to_digits, [symbols, *lengths]))
    checksum = reader.take(CHECK)
    if max(symbols, sum(lengths)) > MOST:
        raise DamageError
    lanes = [reader.take(length) for length in lengths]
    if zlib.crc32(b"".join(lanes), zlib.crc32(head)).to_bytes(CHECK, "big") != checksum:
        raise DamageError
    if flags & STORED:
        watch(reader.count - before)
        return flags, b"".join(lanes)
    weight = (reader.count - before) / max(symbols, 1)
    text = get_blas().call(
        1, block.decode, network, vocabulary, symbols, lanes, MOST, lambda count: watch(count * weight)
    )
    raw = to_bytes(text.replace("\n", "\r\n") if flags & LINE_ENDS else text)
    if len(raw) > MOST:
        raise DamageError
    return flags, raw


class Reader:
    """Reads what a file must have.

    Args:
        source: open for reading.

    Attributes:
        count: of bytes that were read.
    """

    def __init__(self, source: BinaryIO):
        self.source, self.count = source, 0

    def read(self, count: int) -> bytes:
        """So many bytes, or all that there are."""
        content = self.source.read(count)
        while len(content) < count and (more := self.source.read(count - len(content))):  # a pipe may give less
            content += more
        self.count += len(content)
        return content

    def take(self, count: int) -> bytes:
        """So many bytes; raises DamageError where there are fewer."""
        content = self.read(count)
        if len(content) < count:
            raise DamageError
        return content

    def take_number(self) -> int:
        """A number of `to_digits`."""
        number = 0
        for place in range(LONGEST):
            (digit,) = self.take(1)
            number |= (digit & MORE - 1) << DIGIT * place
            if digit < MORE:
                return number
        raise DamageError
