"""Compressed files are the same whatever computes them: threads, kinds of processors, instructions."""

import os
import subprocess
import sys

from numpy._core import _multiarray_umath as numpy_core

SCRIPT = """
import hashlib, io
import numpy as np
from shakegen.cells.registry import BUILT_IN
from shakegen.compression import compress
from shakegen.compression.exact_network import ExactNetwork
from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.text.vocabulary import Vocabulary

text = "shall i compare thee to a summers day thou art more lovely and more temperate "
vocabulary, digest = Vocabulary(sorted(set(text))), hashlib.sha256()
cells = [(name, {}) for name in BUILT_IN] + [(name, {"layer_norm": True}) for name in ("gru", "lstm")]
for name, options in [*cells, ("lstm", {"embedding": 30, "units": 200}), ("mingru", {"mlp": 2})]:
    config, random = Config(name, **{"units": 33, "layers": 2, **options}), np.random.default_rng(0)
    shapes = config.weight_shapes(len(vocabulary)).items()
    weights = {name: random.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes}
    target = io.BytesIO()
    compress(LanguageModel(config, vocabulary, weights), io.BytesIO(text.encode()), target)
    digest.update(target.getvalue())
    network = ExactNetwork(config, weights)
    states = network.start()
    for one in vocabulary.encode(text)[:, None]:
        states = network.read(one, states)
    for state in states:  # to the last bit, which a short text hardly needs
        digest.update((state + 0.0).tobytes())  # no zero has a sign
print(digest.hexdigest())
"""
MACHINES = [
    {"OPENBLAS_NUM_THREADS": "1"},
    {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Haswell"},
    {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": " ".join(numpy_core.__cpu_dispatch__)},
]


def start(machine):
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    return subprocess.Popen(command, env={**os.environ, **machine}, stdout=subprocess.PIPE, text=True)


def test_no_bit_hangs_on_the_machine():
    processes = [start(machine) for machine in MACHINES]
    digests = [process.communicate()[0] for process in processes]
    assert len(digests[0]) == 65
    assert set(digests) == {digests[0]}
