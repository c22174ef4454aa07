"""Exported models: sizes of the files, and speeds of the programs that run them, beside the numpy engine.

    python benchmarks/export.py              # all tables
    python benchmarks/export.py sizes
    python benchmarks/export.py speeds       # characters per second, one text at a time
    python benchmarks/export.py nodes        # ONNX Runtime: standard nodes against loops of single operations

Two models are shipped, the third has random weights. Each contender of `speeds` runs in a process of its own, in turn,
for several rounds, and the table shows medians. "writes" draws character after character at temperature 1; "reads"
gives the logits after every character of a text that is there. ONNX Runtime writes as examples/onnx_sample.py does.
`nodes` shows the rate of a standard node divided by that of the loop, as medians of rounds in which both take turns,
for N texts of T characters in one call; a single character is a step of writing.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from measuring import ancestral, make_parser, print_head, print_result, print_row, random_model, rate, take_turns

from shakegen.network.config import Config

MODELS = ("sonnets-gru", "sonnets-lstm", "nlstm, 256 units")
FORMATS = ("onnx", "safetensors", "keras", "savedmodel")
RUNTIMES, READ, WRITTEN = ("numpy engine", "onnxruntime", "SavedModel"), 2000, 1000
SHAPES = ((1, 1, 400), (16, 1, 200), (1, 500, 4), (16, 500, 1))  # texts, characters, calls


def write_files(folder: Path) -> dict[str, Path]:
    """The models as files, by name, all formats beside each other."""
    from shakegen.export.exporting import SUFFIXES, write_export
    from shakegen.model import load

    paths = {}
    for number, name in enumerate(MODELS):
        cell, comma, units = name.partition(", ")
        model = random_model(Config(cell, int(units.split()[0]), layers=1)) if comma else load(name)
        paths[name] = folder / f"{number}.h5"
        model.save(paths[name])
        for kind in FORMATS:
            write_export(model, kind, folder / f"{number}{SUFFIXES[kind]}")
    return paths


def open_engine(path: Path):
    from shakegen.model import load

    engine = load(path).engine

    def read(length):
        engine.read(np.zeros((length, 1), np.intp), engine.start())

    return ancestral(engine), read


def open_onnx(path: Path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path.with_suffix(".onnx"))
    zeros = {one.name: np.zeros((1, one.shape[1]), np.float32) for one in session.get_inputs()[1:]}
    rng = np.random.default_rng(0)

    def write(length):
        states, ids = zeros.values(), np.zeros((1, 1), np.int64)
        for _ in range(length):
            logits, *states = session.run(None, {"ids": ids, **dict(zip(zeros, states, strict=True))})
            noise = -np.log(rng.standard_exponential(logits.shape[-1]))
            ids = (logits[0, -1] + noise).argmax().reshape(1, 1)

    def read(length):
        session.run(None, {"ids": np.zeros((1, length), np.int64), **zeros})

    return write, read


def open_saved_model(path: Path):
    import tensorflow as tf

    saved, seed = tf.saved_model.load(str(path.with_suffix(""))), tf.zeros((1, 1), tf.int64)

    def write(length):
        saved.sample(seed, length, 1.0, 0)["ids"].numpy()

    def read(length):
        saved.signatures["serving_default"](tf.zeros((1, length), tf.int64))["logits"].numpy()

    return write, read


OPENED = dict(zip(RUNTIMES, (open_engine, open_onnx, open_saved_model), strict=True))


def speeds(paths: dict[str, Path], rounds: int) -> None:
    print_head("characters/s", *(f"{one} {does}" for does in ("writes", "reads") for one in RUNTIMES))
    for name, path in paths.items():
        found = take_turns(__file__, RUNTIMES, rounds, path)
        medians = {one: np.median(np.reshape(rates, (-1, 2)), axis=0) for one, rates in found.items() if rates}
        print_row(name, *(f"{medians[one][k]:,.0f}" if one in medians else "" for k in (0, 1) for one in RUNTIMES))


def size_of(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else path.stat().st_size


def sizes(paths: dict[str, Path], rounds: int) -> None:
    from shakegen.export.exporting import SUFFIXES

    print_head("kB", "model file", *FORMATS)
    for name, path in paths.items():
        files = [path, *(path.with_suffix(SUFFIXES[kind]) for kind in FORMATS)]
        print_row(name, *(f"{size_of(one) / 1e3:,.0f}" for one in files))


def nodes(paths: dict[str, Path], rounds: int) -> None:
    import onnxruntime

    from shakegen.cells.cell import OnnxNode
    from shakegen.export import onnx_model

    def rates(choose, model):
        onnx_model.find_node = choose
        session = onnxruntime.InferenceSession(onnx_model.make_onnx(model).SerializeToString())
        for texts, length, calls in SHAPES:
            inputs = {one.name: np.zeros((texts, one.shape[1]), np.float32) for one in session.get_inputs()[1:]}
            inputs["ids"] = np.zeros((texts, length), np.int64)
            session.run(None, inputs)
            began = time.perf_counter()
            for _ in range(calls):
                session.run(None, inputs)
            yield calls / (time.perf_counter() - began)

    usual = onnx_model.find_node
    print_head("node / loop", *(f"N = {texts}, T = {length}" for texts, length, _ in SHAPES))
    for cell, units in (("rnn", 64), ("rnn", 256), ("lstm", 64), ("lstm", 256), ("gru", 64), ("gru", 256)):
        model, ratios = random_model(Config(cell, units, layers=1)), []
        node = usual(model.config.make_layer()) or OnnxNode("RNN", "h", ["tanh"])
        for _ in range(rounds):
            ratios.append(np.divide(list(rates(lambda _, node=node: node, model)), list(rates(lambda _: None, model))))
        print_row(f"{cell}, {units} units", *(f"{one:.2f}" for one in np.median(ratios, axis=0)))


TABLES = {"sizes": sizes, "speeds": speeds, "nodes": nodes}


def main():
    parser = make_parser(__doc__)
    parser.add_argument("tables", nargs="*", help="sizes, speeds, nodes; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        runtime, path = arguments.only
        write, read = OPENED[runtime](Path(path))
        print_result(rate(write, WRITTEN), rate(read, READ))
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder))
        for table in arguments.tables or TABLES:
            TABLES[table](paths, arguments.rounds)
            print()


if __name__ == "__main__":
    main()
