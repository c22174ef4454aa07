"""Any file comes back as it was; a damaged one is refused; the size is that of `evaluate`."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from odd_cells import ODD

from shakegen.cells import Cell, tanh
from shakegen.cells.registry import BUILT_IN, CELLS
from shakegen.compression import CompressedFileError, compress, container, decompress
from shakegen.compression.exact_network import ExactNetwork
from shakegen.text.vocabulary import Vocabulary

VERSE = b"the day\n a bad egg. the deaf head fed a cage\n"
PIECES = st.sampled_from(["the day", "\n", " the", "abc", "é", "\r\n", "\0", "漢字漢", "\ufeff", " day. " * 9])
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join)
patient = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


def pack(model, raw: bytes) -> bytes:
    target = io.BytesIO()
    sizes = compress(model, io.BytesIO(raw), target)
    assert sizes == (len(raw), len(target.getvalue()))
    return target.getvalue()


def unpack(models, packed: bytes) -> bytes:
    target = io.BytesIO()
    sizes = decompress(models, io.BytesIO(packed), target)
    assert sizes == (len(target.getvalue()), len(packed))
    return target.getvalue()


@pytest.mark.parametrize("kind", ["char", "unknown", "subword", "word"])
class TestAnyFile:
    @patient
    @given(raw=st.binary(max_size=60) | TEXTS.map(str.encode))
    def test_comes_back(self, kinds, kind, raw):
        packed = pack(kinds[kind], raw)
        assert unpack([kinds[kind]], packed) == raw
        assert len(packed) <= len(raw) + 32

    @patient
    @given(raw=TEXTS.map(str.encode) | TEXTS.map(lambda text: text.encode("latin-1", "replace")))
    def test_of_several_blocks_and_lanes_comes_back(self, kinds, short_lanes, kind, raw):
        assert unpack([kinds[kind]], pack(kinds[kind], VERSE + raw)) == VERSE + raw


@pytest.mark.parametrize("cell", [*BUILT_IN, *(cell.name for cell in ODD)])
def test_a_text_comes_back_from_networks_of_any_cell(make_model, short_lanes, cell):
    CELLS.update({cell.name: cell for cell in ODD})
    model = make_model(cell=cell, layers=2)
    assert unpack([model], pack(model, VERSE * 3)) == VERSE * 3


def test_characters_between_blocks_stay_whole(kinds, short_lanes):
    for begin in range(96, 101):
        raw = b"a" * begin + "é漢😀".encode() + b"b" * 40
        assert unpack([kinds["char"]], pack(kinds["char"], raw)) == raw


def expect(model, text: str):
    """The same network, which expects symbols as often as a text has them."""
    ids = model.vocabulary.read([text]).ids
    shares = np.log(np.bincount(ids, minlength=len(model.vocabulary)) + 0.01)
    return type(model)(model.config, model.vocabulary, {**model.weights, "dense/bias": shares.astype(np.float32)})


@pytest.mark.parametrize(
    ("kind", "text"),
    [("char", "a bad egg\n fed a cage"), ("unknown", "a bad egg\n te de"), ("word", " the day\n the a dog.")],
)
def test_the_size_is_what_evaluate_says(kinds, kind, text):
    text *= 100
    model = expect(kinds[kind], text)
    figures = model.evaluate(text)
    bits = figures.bits_per_character * figures.characters
    size = len(pack(model, text.encode()))
    assert size <= bits / 8 * 1.001 + 32
    assert size > bits / 8 or kind != "char"  # unknown characters that come again cost less than `evaluate` counts


def test_lanes_cost_few_bytes_each(kinds, monkeypatch):
    text = "a bad egg\n fed a cage" * 100
    model = expect(kinds["char"], text)
    alone = len(pack(model, text.encode()))
    monkeypatch.setattr(container.block, "LANE", 200)
    assert alone < len(pack(model, text.encode())) <= alone + 10 * 8


def test_line_ends_of_windows_cost_little(kinds):
    text = b" a bad head\n fed a cage" * 20
    sizes = [len(pack(kinds["char"], text.replace(b"\n", end))) for end in (b"\n", b"\r\n")]
    assert sizes[0] == sizes[1]


def test_what_a_model_knows_nothing_of_is_stored(kinds):
    raw = bytes(range(128, 256)) * 20
    assert pack(kinds["char"], raw)[20:-4] == raw


def test_unknown_characters_that_come_again_cost_less(kinds):
    once, often = (len(pack(kinds["char"], b"abcdefgh" * 30 + "é".encode() * count)) for count in (1, 101))
    assert often - once < 100


DAMAGED = "poem is damaged or cut short: expected it whole, as `shakegen compress` wrote it; copy it again"


@pytest.mark.parametrize("raw", [VERSE, b"\xff\x00" * 9, b""])
def test_a_flipped_byte_or_bit_a_cut_and_more_bytes_are_refused(kinds, raw):
    model = kinds["char"]
    packed = pack(model, raw)
    wrong = [packed[:count] for count in range(len(packed))] + [packed + b"\0", packed + packed]
    for place in range(len(packed)):
        for mask in (1, 128, 255):
            changed = bytearray(packed)
            changed[place] ^= mask
            wrong.append(bytes(changed))
    messages = set()
    for one in wrong:
        with pytest.raises(CompressedFileError) as error:
            decompress([model], io.BytesIO(one), io.BytesIO(), title="poem")
        messages.add(str(error.value).partition("(")[0])
    assert messages == {
        DAMAGED,
        "poem is not a compressed file: expected one that `shakegen compress` wrote",
        *(
            f"poem has version {1 ^ mask}, this shakegen reads version 1; try another shakegen"
            for mask in (1, 128, 255)
        ),
        "poem was compressed with another model ",
    }


def with_checksum(head: bytes, content: bytes) -> bytes:
    return head + container.zlib.crc32(content, container.zlib.crc32(head)).to_bytes(4, "big") + content


class Careful(io.BytesIO):
    """A file that is asked for no more than a block may have."""

    def read(self, size=-1):
        assert 0 <= size < 3_000_000
        return super().read(size)


@pytest.mark.parametrize(
    "block",
    [
        bytes([container.STORED | container.LAST, 0]) + b"\xff\xff\xff\xff\x7f",  # 34 billion bytes
        bytes([container.LAST | 31 << 3]) + b"\xff\xff\xff\x7f" + b"\0" * 31,  # millions of symbols from no byte
        bytes([container.LAST | 31 << 3]) + b"\1" + b"\0" * 31,  # more lanes than symbols
        bytes([container.LAST | 1 << 3]) + b"\xff" * 1000,  # a number that does not end
    ],
    ids=["bytes", "symbols", "lanes", "digits"],
)
def test_lengths_that_a_stranger_made_up_are_refused_at_once(kinds, block, monkeypatch):
    model = kinds["char"]
    header = pack(model, b"")[:12]
    monkeypatch.setattr(ExactNetwork, "predict", lambda *_: pytest.fail("a symbol was looked for"))
    source = Careful(header + with_checksum(block, b""))
    with pytest.raises(CompressedFileError):
        decompress([model], source, io.BytesIO())
    assert source.tell() < 100


@pytest.mark.parametrize("kind", ["char", "unknown", "subword", "word"])
@patient
@given(symbols=st.integers(0, 60), flags=st.integers(0, 7), lane=st.binary(max_size=40))
def test_bytes_that_a_stranger_made_up_are_refused(kinds, kind, symbols, flags, lane):
    head = bytes([flags | 1 << 3, symbols, len(lane)])
    made_up = pack(kinds[kind], b"")[:12] + with_checksum(head, lane) + b"none"
    with pytest.raises(CompressedFileError):
        decompress([kinds[kind]], io.BytesIO(made_up), io.BytesIO())


def test_another_model_is_refused_by_name(kinds, make_model):
    packed = pack(kinds["char"], VERSE)
    with pytest.raises(CompressedFileError) as error:
        decompress([kinds["word"], kinds["unknown"]], io.BytesIO(packed), io.BytesIO(), title="poem")
    assert str(error.value) == (
        f"poem was compressed with another model (its fingerprint is {packed[4:12].hex()}): expected the very same, "
        "by the same version of shakegen; name it with `model`"
    )
    assert unpack([kinds["word"], kinds["char"]], packed) == VERSE


def test_the_fingerprint_is_of_weights_symbols_and_equations(make_model, random_weights):
    class Own(Cell):
        name, gates = "test-own", ("h",)

        def step(self, x, s, w):
            return {"h": tanh(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias)}

    model = make_model(cell="test-own")
    prints = {
        container.fingerprint(one) for one in (model, make_model(cell="rnn"), make_model(Vocabulary("abc"), "test-own"))
    }
    weights = {name: weight.copy() for name, weight in model.weights.items()}
    weights["dense/bias"][-1] += 1e-6
    prints.add(container.fingerprint(type(model)(model.config, model.vocabulary, weights)))
    assert container.fingerprint(make_model(cell="test-own")) in prints

    class Changed(Own):
        name = "test-own"

        def step(self, x, s, w):
            return {"h": tanh(x @ w.kernel + s.h @ w.recurrent_kernel + 2.0 * w.bias)}

    assert len({*prints, container.fingerprint(make_model(cell="test-own"))}) == 5


def test_the_end_of_a_block_cuts_no_line_end(kinds):
    raw = b"a" * (container.PIECE - 1) + b"\r\nb"
    assert [piece for piece, _, _ in container.read_pieces(io.BytesIO(raw))] == [b"a" * (container.PIECE - 1), b"\r\nb"]
    cut = b"\0" * (container.PIECE - 4) + b"\xf0\x9f\x98\r" + b"\0" * (container.PIECE + 9)
    assert unpack([kinds["char"]], pack(kinds["char"], cut)) == cut


class Pipe(io.BytesIO):
    """Gives a few bytes at a time, as a pipe may."""

    def read(self, count=-1):
        return super().read(min(count, 2) if count >= 0 else -1)


def test_a_pipe_may_give_less_than_is_asked_for(kinds):
    packed, target = pack(kinds["char"], VERSE), io.BytesIO()
    decompress([kinds["char"]], Pipe(packed), target)
    assert target.getvalue() == VERSE
