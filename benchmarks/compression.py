"""Size of compressed texts: shakegen beside other programs.

    python benchmarks/compression.py sonnets-gru sonnets:test
    python benchmarks/compression.py sonnets-gru sonnets:test letters.txt novel.txt --speed
    python benchmarks/compression.py sonnets-gru sonnets:test --exactness

Each TEXT is a file or the name of a corpus; with `:test` it is the last twentieth, which no model of that corpus has
learned from. The table shows bits per character in whole files, with their headers. xz and bzip2 come from Python's own
library. zstd and 7-zip (PPMd) take part where their commands are installed; `--command 7zz=/path` names one that is
elsewhere. The model itself is not counted: both sides have it. With --speed, characters per second there and back.
With --exactness, only what rounding costs: bits per character by `evaluate`, and by the network in exact arithmetic.
"""

import bz2
import io
import itertools
import lzma
import math
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import make_parser, print_head, print_row

from shakegen.compression import compress, decompress
from shakegen.compression.exact_network import ExactNetwork
from shakegen.model import load
from shakegen.text import catalog, encoding, splits
from shakegen.text.vocabulary import UnknownCharacters
from shakegen.text.word_vocabulary import UnknownWords


def read_text(place: str) -> str:
    """The text of a file or a named corpus, or its test part."""
    name, colon, part = place.rpartition(":")
    source = catalog.open_source(name if colon else place)
    if not colon:
        return "".join(source.blocks())
    if part != "test":
        raise ValueError(f"there is no part {part!r}: expected test")
    sizes = splits.compute_sizes(splits.DEFAULT, encoding.measure(source).length, source.title)
    return "".join(encoding.read_part(source, sizes, 2))


def measure_exactly(model, text: str) -> float:
    """Bits per character, all but the first, of the network that compresses."""
    network, ids, bits = ExactNetwork(model.config, model.weights), model.vocabulary.encode(text), 0.0
    states = network.start()
    for before, after in itertools.pairwise(ids):
        states = network.read(np.array([before]), states)
        sums = network.predict(states)[0]
        bits -= math.log2((sums[after + 1] - sums[after]) / sums[-1])
    return bits / (len(ids) - 1)


def run(raw: bytes, *command: str) -> int | None:
    """The size of the file that a command makes; None where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        text, packed = Path(folder, "text"), Path(folder, "packed")
        text.write_bytes(raw)
        try:
            words = [word.format(text=text, packed=packed) for word in command[-1].split()]
            subprocess.run([*command[:-1], *words], check=True, capture_output=True)
        except FileNotFoundError:
            return None
        return packed.stat().st_size


PEERS = {
    "xz -9": lambda raw, commands: len(lzma.compress(raw, preset=9)),
    "bzip2 -9": lambda raw, commands: len(bz2.compress(raw, 9)),
    "zstd --ultra -22": lambda raw, commands: run(raw, commands["zstd"], "--ultra -22 {text} -o {packed}"),
    "7-zip PPMd": lambda raw, commands: run(raw, commands["7zz"], "a -t7z -m0=PPMd -mx=9 -bd {packed}. {text}"),
}


def main():
    parser = make_parser(__doc__)
    parser.add_argument("model")
    parser.add_argument("texts", nargs="+", metavar="TEXT")
    parser.add_argument("--command", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--exactness", action="store_true")
    arguments = parser.parse_args()
    model = load(arguments.model, "next")
    if arguments.exactness:
        for place in arguments.texts:
            text = read_text(place)
            bits = model.evaluate(text).bits_per_character, measure_exactly(model, text)
            print(f"{place}: {bits[0]:.7f} by `evaluate`, {bits[1]:.7f} in exact arithmetic")
        return
    commands = {"zstd": "zstd", "7zz": "7zz", **dict(one.split("=", 1) for one in arguments.command)}
    print_head("text", "characters", "`evaluate`", "shakegen", *PEERS, *["speed"] * arguments.speed)
    for place in arguments.texts:
        text = read_text(place)
        raw, packed, back = text.encode(), io.BytesIO(), io.BytesIO()
        began = time.perf_counter()
        compress(model, io.BytesIO(raw), packed)
        between = time.perf_counter()
        decompress([model], io.BytesIO(packed.getvalue()), back)
        speeds = len(text) / (between - began), len(text) / (time.perf_counter() - between)
        assert back.getvalue() == raw
        try:
            predicted = f"{model.evaluate(text).bits_per_character:.3f}"
        except (UnknownCharacters, UnknownWords):
            predicted = ""
        sizes = [len(packed.getvalue()), *(peer(raw, commands) for peer in PEERS.values())]
        cells = [Path(place).name, f"{len(text):,}", predicted]
        cells += ["" if size is None else f"{8 * size / len(text):.3f}" for size in sizes]
        if arguments.speed:
            cells.append(" and ".join(f"{speed:,.0f}" for speed in speeds))
        print_row(*cells)


if __name__ == "__main__":
    main()
