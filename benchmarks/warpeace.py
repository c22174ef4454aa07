"""A table of Karpathy, Johnson & Fei-Fei (2015, https://arxiv.org/abs/1506.02078): cells and layers on *War and Peace*.

    python benchmarks/warpeace.py --minutes 3 --folder warpeace-runs
    python benchmarks/warpeace.py --minutes 3 30 90 --folder warpeace-runs --parts 1

The split is theirs, 0.8,0.1,0.1; the test text chose nothing. The columns are those of `quality.py`. The figures and
the model of each run stay in the folder: so the table may be made in parts, and an interrupted run goes on.
"""

from measuring import print_head
from quality import COLUMNS, make_table_parser, measure_states

NETWORKS = [f"--cell {cell} --units 128 --layers {layers}" for cell in ("rnn", "lstm", "gru") for layers in (1, 2)]


def main():
    given = make_table_parser(__doc__).parse_args()
    if given.folder is None:
        raise SystemExit("--folder is missing: expected a folder for the models and their figures")
    given.folder.mkdir(parents=True, exist_ok=True)
    given.split = "0.8,0.1,0.1"
    print_head(*COLUMNS)
    for minutes in given.minutes:
        for network in [*NETWORKS, ""]:
            measure_states("warpeace", minutes, given, network.split(), given.folder)


if __name__ == "__main__":
    main()
