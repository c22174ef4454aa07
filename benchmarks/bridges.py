"""Bridges: how long particles take to write one, and how well bridges of a pretrained network fit.

    python benchmarks/bridges.py

The first table is of an LSTM with random weights, as in benchmarks/sampling.py. In the second, each bridge stands
between two lines of the sonnets, or within them, and `sonnets-gru` judges it.
"""

import statistics

import numpy as np
from measuring import SIZE, ancestral, make_parser, network, print_head, print_row, rate

import shakegen
from shakegen import sampling

BRIDGES = [
    ("shall i compare thee to a ", " is all too short a date", 40),
    ("When I do count the clock that tells the time,\n", "\nSo long lives this, and this gives life to thee.", 120),
    ("Thou art ", "ever more the king of love", 60),
    ("My love ", "ing", 20),
]


def measure_seconds(rounds):
    engine, given = network(256, layers=2), np.random.default_rng(1).integers(SIZE, size=30)
    logits, state = engine.prime([0])
    slots = [sampling.Slot(200, 200, given)]

    def fill(_):
        sampling.fill_slots(engine.step, logits, state, slots, particles=64)

    seconds = [1 / rate(fill, 1) for _ in range(rounds)]
    ratios = [one * rate(ancestral(engine, 64), 230) / 230 for one in seconds]
    print_head("a bridge of 200 characters, 256 units × 2, 64 particles", "median")
    print_row("seconds", f"{statistics.median(seconds):.2f}")
    print_row("relative to 64 plain streams of as many characters", f"{statistics.median(ratios):.2f}")


def judge_bridge(begin, end, length, runs=32, draws=16_384):
    """The mean log-probability of the end after the bridge: plain draws, particles, and the exact distribution.

    The exact one is estimated by many plain draws, each weighted by the probability of the end.
    """
    model = shakegen.load("sonnets-gru")
    vocabulary, engine = model.vocabulary, model.engine
    logits, state = engine.prime(vocabulary.encode(begin), draws)
    drawn = np.array([ids.copy() for ids in sampling.ancestral(engine.step, logits, state, length)])

    def follow(texts):
        logits, state = engine.prime(vocabulary.encode(begin), texts.shape[1])
        total = np.zeros(texts.shape[1])
        for place, ids in enumerate([*texts, *(np.full(texts.shape[1], k) for k in vocabulary.encode(end))]):
            if place >= length:
                total += sampling.log_softmax(logits.astype(float))[np.arange(len(ids)), ids]
            logits, state = engine.step(ids, state)
        return total

    plain = follow(drawn)
    weights = np.exp(plain - plain.max())
    for row, ids in enumerate(drawn.T):
        if end in (vocabulary.decode(ids) + end)[:-1]:  # the place would end there
            weights[row] = 0
    found = model.fill(sampling.Form.between(end, length), begin, runs)
    ours = follow(np.array([vocabulary.encode(one.text[:length]) for one in found], np.intp).T)
    own = np.exp([one.log_weight for one in found])
    exact = weights @ plain / weights.sum()
    spread = np.sqrt(weights**2 @ (plain - exact) ** 2) / weights.sum()
    effective = own.sum() ** 2 / (own**2).sum()
    shown = f"{ours.mean():.2f} (± {ours.std() / np.sqrt(runs):.2f})", f"{exact:.2f} (± {spread:.2f})"
    return f"{plain.mean():.2f}", *shown, f"{effective:.0f} of {runs}"


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    measure_seconds(parser.parse_args().rounds)
    print()
    print_head("bridge", "length", "plain draws", "particles", "exact", "effective runs")
    for begin, end, length in BRIDGES:
        print_row(f"{begin[-12:]!r} … {end[:12]!r}", length, *judge_bridge(begin, end, length))


if __name__ == "__main__":
    main()
