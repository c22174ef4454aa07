"""Mutated model files: each loads or is refused by one line, soon and in little memory.

`make fuzz` tries 20,000; the tests try some.
"""

import resource
import struct
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from shakegen.model import AutocompleteModel, LanguageModel, load
from shakegen.model.model_file import ModelFileError, Training
from shakegen.model.precision import round_weights
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.word_vocabulary import WordVocabulary

FILES = 20_000
SECONDS, MEMORY = 2.0, 200 << 20  # at most; bytes beyond those of the file
HISTORY = [{"epoch": epoch, "loss": 2.0, "val_loss": 2.1, "seconds": 3.5, "steps": 7} for epoch in (1, 2)]
EXTREMES = (0, 1, 2, 8, 0xFF, 0xFFFF, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 63, (1 << 64) - 1)
JSON_PARTS = b'[ ] { } " \\ , : null true NaN 1e999 -1 1111111111111111111 \\ud800 \\u001b [[[[[[[['.split()


def make_models() -> dict[str, LanguageModel | AutocompleteModel]:
    """A small model of every kind; `checkpoint` has the state of a training run."""
    random, models = np.random.default_rng(0), {}

    def make(kind, config, vocabulary, outputs=None, **more):
        shapes = config.weight_shapes(len(vocabulary), outputs)
        weights = {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
        corpus = {"name": "poem", "sha256": "0" * 64, "length": 900, "split": [0.9, 0.05, 0.05]}
        return kind(config, vocabulary, weights, corpus, HISTORY, **more)

    characters = Vocabulary("abcdefghijklmnopqrstuvwxyz ")
    models["halves"] = make(LanguageModel, Config("lstm", units=5), characters)
    models["halves"].weights = round_weights(models["halves"].weights)
    models["characters"] = make(LanguageModel, Config("gru", units=5), characters)
    models["nested"] = make(LanguageModel, Config("nlstm", units=4, learn_initial_state=True), characters)
    words = WordVocabulary(["thee", "thou", "love", " ", "\n"], unknown=True)
    models["words"] = make(LanguageModel, Config("lstm", units=4, level="word", embedding=3), words)
    outputs = Outputs(["thee", "to", "a"])
    config = Config.study("rnn", units=6)
    models["autocomplete"] = make(AutocompleteModel, config, SYMBOLS, len(outputs), words=outputs)
    models["checkpoint"] = make(LanguageModel, Config("lstm", units=4, layers=3), characters)
    arrays = {f"weights/{name}": weight for name, weight in models["checkpoint"].weights.items()}
    arrays |= {f"optimizer/{name}/momentum": weight for name, weight in models["checkpoint"].weights.items()}
    arrays |= {"optimizer/iteration": np.array(7), "random/layer1/seed": np.array([1, 1 << 31], "u4")}
    models["checkpoint"].training = Training({"recipe": {"epochs": 3}, "position": {"step": 7}}, arrays)
    return models


def mutate(content: bytes, random: np.random.Generator) -> tuple[str, bytes]:
    """The name of a mutation, and a copy of a file that was mutated by it once or several times."""
    name = str(random.choice(list(MUTATIONS)))
    changed = bytearray(content)
    for _ in range(1 << random.integers(4)):
        MUTATIONS[name](changed, random)
    return name, bytes(changed)


def spans(content: bytearray, random: np.random.Generator, count: int) -> tuple[int, list[int]]:
    """A random length, and so many places where a piece of it begins."""
    length = min(int(2 ** random.uniform(0, 13)), len(content) // 2)
    return length, [int(place) for place in random.integers(len(content) - length, size=count)]


def flip_bits(content, random):
    content[random.integers(len(content))] ^= 1 << random.integers(8)


def flip_bytes_of_structures(content, random):
    """Headers, trees and names stand before most arrays and between them: they are rarely zero."""
    place = int(random.choice(np.flatnonzero(np.frombuffer(bytes(content[: 1 << 14]), np.uint8))))
    content[place] = random.integers(256)


def cut(content, random):
    del content[random.integers(1, len(content)) :]
    content.extend(bytes(8))


def zero(content, random):
    length, (place,) = spans(content, random, 1)
    content[place : place + length] = bytes(length)


def splice(content, random):
    length, (source, target) = spans(content, random, 2)
    content[target : target + length] = content[source : source + length]


def insert(content, random):
    length, (source, target) = spans(content, random, 2)
    content[target:target] = content[source : source + length]


def swap(content, random):
    length, (one, other) = spans(content, random, 2)
    content[one : one + length], content[other : other + length] = (
        content[other : other + length],
        content[one : one + length],
    )


def words_of(content: bytearray) -> np.ndarray:
    """The places of what may be an address or a size."""
    words = np.frombuffer(bytes(content[: len(content) // 8 * 8]), "<u8")
    return 8 * np.flatnonzero((words > 0) & (words <= len(content)) | (words == EXTREMES[-1]))


def swap_addresses(content, random):
    places = words_of(content)
    if len(places):
        one, other = map(int, random.choice(places, 2))
        content[one : one + 8], content[other : other + 8] = content[other : other + 8], content[one : one + 8]


def change_addresses(content, random):
    places = words_of(content)
    if len(places):
        value = random.choice([*map(float, EXTREMES[:-1]), random.integers(len(content) + 9), len(content)])
        struct.pack_into("<Q", content, int(random.choice(places)), int(value))


def change_sizes(content, random):
    size = int(random.choice([1, 2, 4, 8]))
    place = int(random.integers(min(len(content), 1 << 14) - 8)) // size * size
    value = int(EXTREMES[random.integers(len(EXTREMES))]) + int(random.integers(-2, 3))
    content[place : place + size] = (value % (1 << 8 * size)).to_bytes(size, "little")


def change_texts(content, random):
    begin = content.find(b"GCOL")
    if begin >= 0:
        part = JSON_PARTS[random.integers(len(JSON_PARTS))]
        place = begin + int(random.integers(max(1, min(2000, len(content) - begin))))
        content[place : place + len(part)] = part


MUTATIONS = {
    change.__name__: change
    for change in (
        flip_bits, flip_bytes_of_structures, cut, zero, splice, insert, swap, swap_addresses, change_addresses,
        change_sizes, change_texts,
    )
}  # fmt: skip


def try_file(path: Path) -> str:
    """Read a file as a stranger's: "loads", or the reason for which it is refused.

    Raises:
        AssertionError: the reason is no line.
        Exception: anything else that reading raises is an error.
    """
    try:
        model = load(path, with_training=True)
    except ModelFileError as error:
        reason = str(error)
        assert len(reason.splitlines()) == 1, reason
        assert len(reason) < 500
        return reason.removeprefix(str(path))
    assert model.best_epoch
    return "loads"


def fuzz(folder: Path, files: int, random_state: int = 0) -> dict:
    """Try so many mutated files; raises AssertionError with the name of a file that broke the law."""
    random, path, outcomes = np.random.default_rng(random_state), folder / "mutated.h5", Counter()
    contents = []
    for name, model in make_models().items():
        model.save(folder / f"{name}.h5", with_training=True)
        contents.append((folder / f"{name}.h5").read_bytes())
    slowest = largest = 0.0
    before = peak_memory()
    for number in range(files):
        name, content = mutate(contents[number % len(contents)], random)
        path.write_bytes(content)
        began = time.process_time()
        outcome = try_file(path)
        took, memory = time.process_time() - began, peak_memory() - before
        assert took < SECONDS, f"{number} ({name}): {took:.1f} s"
        assert memory < MEMORY + len(content), f"{number} ({name}): {memory >> 20} MiB"
        slowest, largest = max(slowest, took), max(largest, memory)
        outcomes[name, outcome == "loads"] += 1
    return {"slowest": slowest, "memory": largest, "outcomes": outcomes}


def peak_memory() -> int:
    """The most bytes that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        found = fuzz(Path(home), FILES)
    print(f"{FILES:,} files; the slowest took {found['slowest']:.3f} s, memory grew by {found['memory'] >> 20} MiB")
    for kind in MUTATIONS:
        print(f"{kind:26}{found['outcomes'][kind, True]:>7,} load{found['outcomes'][kind, False]:>7,} refused")
