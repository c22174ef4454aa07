"""How training scales with workers: measured on the cores of this machine, and computed for up to 64 machines.

    python benchmarks/scaling.py                           # an LSTM of 512 units on 1, 2 … workers, a core each
    python benchmarks/scaling.py --cell gru --units 256 --workers 1 2 --batch-size 64
    python benchmarks/scaling.py --paper                   # the tables of docs/scale-out.md

Every worker is a process pinned to a core of its own, with one thread for its products. All have a batch of the same
size, so the whole batch grows with the workers. `ms/step` is the median of the chief's steps. `alone` is the time of a
step while all processes compute side by side, each for itself: cores share the memory's bandwidth. The difference is
the all-reduce, with the chief's orders and the wait for the slowest worker. The last column has its share of the step.

With `--paper`, W machines equal to this one, with all its cores, each take a step in the time t of a single machine.
Then they add up g bytes of gradients around a ring, over a network of b bytes a second: T = t + 2 (W - 1) / W · g / b.
The gain is W · t / T. Nothing overlaps.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time

from measuring import make_parser, print_head, print_row

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
VOCABULARY, TEXT = 65, 1 << 20
NETWORKS = {1: "1 Gbit/s", 10: "10 Gbit/s", 25: "25 Gbit/s", 100: "100 Gbit/s"}  # by gigabits a second
MACHINES, SIZES, WORTH_IT = (2, 8, 64), (128, 512, 1024), 0.8


def learner(arguments, batch_size, strategy):
    import keras
    import numpy as np

    from shakegen.network.build import build
    from shakegen.network.config import Config
    from shakegen.text.windows import Passages
    from shakegen.training.learner import Learner
    from shakegen.training.workers.replicas import Replicas, sum_once

    ids = np.random.default_rng(0).integers(VOCABULARY, size=TEXT, dtype=np.uint8)
    replicas = Replicas(Passages(ids, arguments.seq_length, batch_size), strategy)

    def make():
        network = build(Config(arguments.cell, arguments.units, arguments.layers, dropout=0), VOCABULARY)
        optimizer = keras.optimizers.Adam(global_clipnorm=1.0)
        if replicas.count > 1:
            sum_once(optimizer)
        network.compile(optimizer, jit_compile=False)
        optimizer.build(network.trainable_variables)
        return network

    return Learner(replicas.make(make), replicas)


def median_step(learn, steps):
    """The median seconds of a step, without the first steps, which compile."""
    learn.begin(0)
    durations = []
    for _ in range(steps + 3):
        began = time.perf_counter()
        learn(1e-3)
        durations.append(time.perf_counter() - began)
    return statistics.median(durations[3:])


def be_a_worker(arguments):
    """Learn together with the other workers, then beside them; the first worker prints the seconds of its steps."""
    from shakegen.network.quiet import quiet_tensorflow
    from shakegen.training.workers import Cluster, Strategy, join

    addresses = tuple(arguments.addresses.split(","))
    if not arguments.paper:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[arguments.index % len(cores)]})
    with join(Cluster(addresses, arguments.index)) as team:
        with quiet_tensorflow():
            import tensorflow as tf
        if not arguments.paper:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        measures = {}
        if len(team) > 1:
            learn = learner(arguments, arguments.batch_size * len(team), team)
            if team.chief:
                measures["together"] = median_step(learn, arguments.steps)
                team.order("end", signal=None)
            else:
                learn.begin(0)
                for order in team.orders():
                    if order["what"] == "learn":
                        learn(order["rate"], order["dropout"])
            team.agree({})
        learn = learner(arguments, arguments.batch_size, Strategy())
        measures["alone"] = median_step(learn, arguments.steps)
        measures["weights"] = sum(weight.shape.num_elements() for weight in learn.network.weights)
        if arguments.index == 0:
            print(json.dumps(measures))
        team.order("end", signal=None) if team.chief else list(team.orders())


def measure(arguments, workers):
    """The seconds of a step with this many workers, `together` and `alone`, and the number of weights."""
    with contextlib.ExitStack() as ports:
        sockets = [ports.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(workers)]
        addresses = ",".join(f"127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    options = [f"--{name}={getattr(arguments, name.replace('-', '_'))}" for name in OPTIONS]
    command = [sys.executable, __file__, *options, *["--paper"] * arguments.paper, f"--addresses={addresses}"]
    processes = [
        subprocess.Popen([*command, f"--index={index}"], stdout=subprocess.PIPE, text=True) for index in range(workers)
    ]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a worker failed")
    return {"together": None, **json.loads(outputs[0])}


def table_of_this_machine(arguments):
    print(f"{arguments.cell} of {arguments.units} units, {arguments.batch_size} windows a worker\n")
    print_head("workers", "ms/step", "alone", "characters/s", "gain", "all-reduce")
    first = None
    wanted = arguments.workers or range(1, len(os.sched_getaffinity(0)) + 1)
    for workers in sorted({1, *wanted}):  # the gain is over one
        measures = measure(arguments, workers)
        step = measures["together"] or measures["alone"]
        rate = workers * arguments.batch_size * arguments.seq_length / step
        first = first or rate
        alone = measures["alone"]
        figures = [f"{1000 * step:.1f}", f"{1000 * alone:.1f}", f"{rate:,.0f}", f"{rate / first:.2f}"]
        print_row(workers, *figures, f"{max(0.0, 1 - alone / step):.0%}")


def gain(machines, step, gradients, bandwidth):
    """The computed speed of several machines, as a multiple of one machine's."""
    return machines * step / (step + 2 * (machines - 1) / machines * gradients / bandwidth)


def tables_on_paper(arguments):
    head = f"{arguments.cell}, units", "weights", "MB of gradients", "ms/step"
    gains = (f"{name}: {', '.join(map(str, MACHINES))}" for name in NETWORKS.values())
    print_head(*head, *gains, "2 gain from", f"{MACHINES[-1]} reach {WORTH_IT:.0%} from")
    for arguments.units in SIZES:
        measures = measure(arguments, 1)
        step, gradients = measures["alone"], 4 * measures["weights"]
        cells = [f"{arguments.units}", f"{measures['weights']:,}", f"{gradients / 1e6:.1f}", f"{1000 * step:.0f}"]
        for gigabits in NETWORKS:
            cells.append(
                ", ".join(f"{gain(machines, step, gradients, gigabits * 1e9 / 8):.1f}" for machines in MACHINES)
            )
        most = MACHINES[-1]
        enough = 2 * (most - 1) / most * gradients / (step * (1 / WORTH_IT - 1))
        cells += [f"{8 * needed / 1e9:.2g} Gbit/s" for needed in (gradients / step, enough)]
        print_row(*cells)


OPTIONS = {"cell": "lstm", "units": 512, "layers": 1, "batch-size": 32, "seq-length": 64, "steps": 20}


def main():
    parser = make_parser(__doc__)
    for name, default in OPTIONS.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument(
        "--workers", type=int, nargs="*", help="and one worker, always; by default 1 to the number of cores"
    )
    parser.add_argument("--paper", action="store_true", help="compute the gains of several machines over a network")
    parser.add_argument("--addresses", help=argparse.SUPPRESS)
    parser.add_argument("--index", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.addresses:
        be_a_worker(arguments)
    elif arguments.paper:
        tables_on_paper(arguments)
    else:
        table_of_this_machine(arguments)


if __name__ == "__main__":
    main()
