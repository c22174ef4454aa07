"""Networks with random weights, and the speed of drawing from them, for the benchmarks of sampling."""

import time

SIZE = 65  # characters


def network(units, size=SIZE, bits=2.0, layers=1):
    """An engine with random weights; its next symbol has at most this many bits of entropy after a random text."""
    import numpy as np

    from shakegen.inference import Engine
    from shakegen.network.config import Config

    random, config = np.random.default_rng(0), Config("lstm", units=units, layers=layers, residual=False)
    shapes = config.weight_shapes(size).items()
    weights = {name: random.normal(0, units**-0.5, shape).astype("float32") for name, shape in shapes}
    while True:
        engine = Engine(config, weights)
        logits, _ = engine.prime(random.integers(size, size=50), 1)
        p = np.exp(logits[0] - logits.max(), dtype=float)
        p /= p.sum()
        if -(p * np.log2(p + 1e-30)).sum() < bits:
            return engine
        weights["dense/kernel"] *= 1.2


def rate(draw, length, streams=1):
    """Symbols per second of the fastest of three draws of `length` steps."""
    durations = []
    for _ in range(3):
        began = time.perf_counter()
        draw(length)
        durations.append(time.perf_counter() - began)
    return streams * length / min(durations)


def ancestral(engine, streams=1, **options):
    from shakegen import sampling

    def draw(length):
        logits, state = engine.prime([0], streams)
        for _ in sampling.ancestral(engine.step, logits, state, length, **options):
            pass

    return draw
