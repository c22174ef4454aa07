"""Sampling speed, side by side with other libraries, and the cost of each strategy.

    python benchmarks/sampling.py            # all tables
    python benchmarks/sampling.py peers      # one stream and 64, against a compiled loop, PyTorch, keras.predict
    python benchmarks/sampling.py costs      # each strategy against plain ancestral sampling
    python benchmarks/sampling.py constraints    # each constraint against plain ancestral sampling
    python benchmarks/sampling.py index      # seconds and memory of the index of 100 MB that --no-copy needs

An LSTM with random weights draws from 65 characters, or from 16,386 words. Its read-out is scaled so that a symbol has
about 2 or 6 bits of surprise, as in trained networks. Each contender of `peers` runs in a process of its own, in turn,
for several rounds. The tables show medians and ratios within this run. `compiled` is a loop inside one TensorFlow
graph, compiled by XLA. `torch` is PyTorch's nn.LSTM, called once a step; it takes part where PyTorch is installed.
`predict` is keras.predict on a sliding window of 40 one-hot characters, as in textbooks.
"""

import argparse
import os
import statistics
import time

from measuring import (
    SIZE,
    ancestral,
    make_parser,
    network,
    peak_memory,
    print_head,
    print_result,
    print_row,
    rate,
    take_turns,
)

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

WORDS, WINDOW = 16_386, 40
STRATEGIES = {
    "plain": {},
    "greedy": {"temperature": 0},
    "top-k 10": {"top_k": 10},
    "top-p 0.9": {"top_p": 0.9},
    "min-p 0.05": {"min_p": 0.05},
    "typical 0.95": {"typical": 0.95},
    "all four": {"top_k": 40, "top_p": 0.95, "min_p": 0.01, "typical": 0.98},
}


def shakegen(units, streams):
    return rate(ancestral(network(units), streams), 500_000 // units // int(streams**0.5), streams)


def compiled(units, streams):
    import tensorflow as tf

    length = 300_000 // units
    kernel, recurrent = tf.random.normal((SIZE, 4 * units)), tf.random.normal((units, 4 * units)) * units**-0.5
    dense = tf.random.normal((units, SIZE)) * units**-0.5

    @tf.function(jit_compile=True)
    def loop(seed):
        def body(t, ids, h, c, written):
            i, f, g, o = tf.split(tf.gather(kernel, ids) + h @ recurrent, 4, axis=1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
            uniform = tf.random.stateless_uniform((streams, SIZE), tf.stack([seed, t]), minval=1e-20)
            ids = tf.argmax(h @ dense - tf.math.log(-tf.math.log(uniform)), axis=1, output_type=tf.int32)
            return t + 1, ids, h, c, written.write(t, ids)

        written = tf.TensorArray(tf.int32, size=length, element_shape=(streams,))
        start = 0, tf.zeros(streams, tf.int32), tf.zeros((streams, units)), tf.zeros((streams, units)), written
        return tf.while_loop(lambda t, *_: t < length, body, start)[-1].stack()

    loop(tf.constant(0)).numpy()
    return rate(lambda _: loop(tf.constant(1)).numpy(), length, streams)


def torch(units, streams):
    import torch
    from torch import nn

    layer, dense = nn.LSTM(SIZE, units), nn.Linear(units, SIZE)

    def draw(length):
        ids, state = torch.zeros(streams, dtype=torch.long), None
        for _ in range(length):
            hidden, state = layer(nn.functional.one_hot(ids, SIZE).float()[None], state)
            ids = torch.multinomial(torch.softmax(dense(hidden[0]), -1), 1)[:, 0]
            ids.tolist()

    with torch.inference_mode():
        return rate(draw, 1000, streams)


def predict(units, streams):
    import keras
    import numpy as np

    if streams > 1:
        return None
    inputs = keras.Input((WINDOW, SIZE))
    model = keras.Model(inputs, keras.layers.Dense(SIZE, "softmax")(keras.layers.LSTM(units)(inputs)))
    random = np.random.default_rng(0)

    def draw(length):
        window = np.zeros((1, WINDOW, SIZE), "float32")
        for _ in range(length):
            p = model.predict(window, verbose=0)[0].astype(float)
            window = np.roll(window, -1, axis=1)
            window[0, -1] = np.eye(SIZE)[random.choice(SIZE, p=p / p.sum())]

    draw(3)
    return rate(draw, 15)


CONTENDERS = {"shakegen": shakegen, "compiled": compiled, "torch": torch, "predict": predict}


def peers(rounds):
    print_head("units", "streams", *CONTENDERS, "ours / compiled", "ours / torch", "ours / predict")
    for units, streams in ((128, 1), (512, 1), (512, 64)):
        rates = take_turns(__file__, CONTENDERS, rounds, units, streams)
        median = {name: statistics.median(values) for name, values in rates.items() if values}
        shown = [f"{median[name]:,.0f}" if name in median else "" for name in CONTENDERS]
        ratios = [f"{median['shakegen'] / median[name]:.2f}" if name in median else "" for name in list(CONTENDERS)[1:]]
        print_row(units, streams, *shown, *ratios)


def costs(rounds):
    sizes = ((128, SIZE, 2.0, 4000), (512, SIZE, 2.0, 1000), (128, WORDS, 6.0, 200), (512, WORDS, 6.0, 100))
    engines = [(network(units, size, bits), length) for units, size, bits, length in sizes]
    print_head("time per symbol, relative to plain", *(f"{u} units, V = {v:,}" for u, v, *_ in sizes))
    for name, options in STRATEGIES.items():
        shown = []
        for engine, length in engines:
            times, ratios = [], []
            for _ in range(rounds):
                base = rate(ancestral(engine), length)
                times.append(1e6 / base)
                ratios.append(base / rate(ancestral(engine, **options), length) if options else 1)
            shown.append(f"{statistics.median(ratios):.2f}" if options else f"{statistics.median(times):.1f} µs")
        print_row(name, *shown)
    for name in ("beam_search", "stochastic_beam_search"):
        shown = [f"{statistics.median(beam_ratio(name, *one) for _ in range(rounds)):.2f}" for one in engines]
        print_row(f"{name}, width 10 (rate)", *shown)


def beam_ratio(name, engine, length):
    """The rate of a beam search of width 10, as a share of the rate of one of 10 streams drawn side by side."""
    from shakegen import sampling

    def search(length):
        getattr(sampling, name)(engine.step, *engine.prime([0]), length, 10)

    return rate(search, length // 4) / rate(ancestral(engine, 10), length // 4)


def constraint_options():
    """Makers of options of `ancestral`, one for each constraint, over the characters of the sonnets and a few more."""
    import shakegen
    from shakegen.sampling import Rules
    from shakegen.sampling.constraints import Forbid, NoCopy, NoRepeat, RepetitionPenalty

    corpus = shakegen.load_corpus("sonnets", split=(1, 0, 0))
    symbols = (corpus.vocabulary.symbols + tuple("#$%&*+/<=>@"))[:SIZE]
    constraints = {
        "forbid 3 texts": Forbid(["thee", "love", "Thou"]),
        "forbid 2 patterns": Forbid(patterns=["[A-Z]{2}", "e.e"]),
        "alphabet of 40": Forbid(alphabet="".join(symbols[20:60])),
        "no-repeat-ngram 8": NoRepeat(8),
        "repetition-penalty 2": RepetitionPenalty(2),
        "no-copy 8 of the sonnets": NoCopy(corpus, 8),
    }
    for name, constraint in constraints.items():
        yield name, lambda constraint=constraint: {"rules": Rules([constraint], symbols)}
    yield "temperature from 0.4 to 1.2", lambda: {"temperature": (0.4, 1.2)}
    yield "perplexity 3", lambda: {"perplexity": 3}


def constraints(rounds):
    engines = [(network(units), length) for units, length in ((128, 4000), (512, 1000))]
    print_head("time per symbol, relative to plain", "128 units, V = 65", "512 units, V = 65")
    for name, options in constraint_options():
        shown = []
        for engine, length in engines:

            def draw(length, engine=engine, options=options):
                ancestral(engine, **options())(length)

            ratios = [rate(ancestral(engine), length) / rate(draw, length) for _ in range(rounds)]
            shown.append(f"{statistics.median(ratios):.2f}")
        print_row(name, *shown)


def index(rounds):
    import numpy as np

    from shakegen.sampling.constraints import CopyIndex

    text = np.random.default_rng(0).integers(SIZE, size=100_000_000, dtype=np.uint8)
    began = time.perf_counter()
    CopyIndex(text, 20)
    seconds, memory = time.perf_counter() - began, peak_memory() / 1e9
    print(f"The index of all 20 characters in a row of 100 MB takes {seconds:.1f} s and {memory:.2f} GB with the text.")


TABLES = {"index": index, "peers": peers, "costs": costs, "constraints": constraints}  # the index shows its memory


def main():
    parser = make_parser(__doc__)
    parser.add_argument("tables", nargs="*", help="peers, costs, constraints, index; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        name, units, streams = arguments.only
        print_result(CONTENDERS[name](int(units), int(streams)))
        return
    for table in arguments.tables or TABLES:
        TABLES[table](arguments.rounds)
        print()


if __name__ == "__main__":
    main()
