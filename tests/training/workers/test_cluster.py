"""Who trains together: options, and TF_CONFIG."""

import json

import pytest

from shakegen.training.workers import Cluster

TWO = "10.0.0.1:4000,10.0.0.2:4000"


def environment(cluster, task):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


def test_a_cluster_is_read_from_options_or_from_the_environment():
    addresses = ("10.0.0.1:4000", "10.0.0.2:4000")
    assert Cluster.resolve(TWO, 1, {}) == Cluster(addresses, 1)
    of_workers = environment({"worker": list(addresses)}, {"type": "worker", "index": 1})
    assert Cluster.resolve(None, None, of_workers) == Cluster(addresses, 1)
    cluster = {"worker": ["[::1]:5", "c:6"], "chief": ["a:4"], "ps": ["d:7"]}
    assert Cluster.from_environment(environment(cluster, {"type": "worker", "index": 0})).index == 1
    chief = Cluster.from_environment(environment(cluster, {"type": "chief", "index": 0}))
    assert (chief.addresses, chief.index) == (("a:4", "[::1]:5", "c:6"), 0)
    assert Cluster.resolve("a:1,b:2", 0, of_workers).addresses == ("a:1", "b:2"), "options count more"
    for alone in ({}, {"TF_CONFIG": ""}, {"TF_CONFIG": "{}"}):
        assert Cluster.resolve(None, None, alone) is None


EXAMPLE = "expected host:port for each worker, separated by commas, such as 10.0.0.1:4000,10.0.0.2:4000"
USABLE = (
    'TF_CONFIG is not usable: expected JSON such as {"cluster": {"worker": ["10.0.0.1:4000", "10.0.0.2:4000"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
BAD = [
    (("a:1,b", 0, {}), f"'b' is no address of a worker: {EXAMPLE}"),
    (("a:1,b:70000", 0, {}), f"'b:70000' is no address of a worker: {EXAMPLE}"),
    (("a:1,a:1", 0, {}), f"the workers a:1,a:1 have an address twice: {EXAMPLE}"),
    (("a:1,b:1", 2, {}), "the worker index is 2: expected 0 to 1, for there are 2 workers"),
    (("a:1,b:1", None, {}), "`workers` is given without `worker_index`: expected which of them this is, from 0"),
    ((None, 0, {}), "`worker_index` is given without `workers`: expected the addresses of all, too"),
    ((None, None, {"TF_CONFIG": "{"}), USABLE),
    ((None, None, {"TF_CONFIG": "[]"}), USABLE),
    ((None, None, {"TF_CONFIG": "[" * 100_000}), USABLE),
    ((None, None, environment({"worker": ["a:1"]}, {"type": "worker", "index": float("inf")})), USABLE),
    (("a..b:1,c:1", 0, {}), f"'a..b:1' is no address of a worker: {EXAMPLE}"),
    ((None, None, environment({"worker": ["a:1"]}, {})), USABLE),
    ((None, None, environment({"worker": [1]}, {"type": "worker", "index": 0})), USABLE),
    (
        (None, None, environment({"worker": ["a:1"]}, {"type": "ps", "index": 0})),
        "TF_CONFIG gives this process the role 'ps': expected one of chief, worker",
    ),
    (
        (None, None, environment({"worker": ["a:1", "b:2"]}, {"type": "worker", "index": 2})),
        "TF_CONFIG has no worker 2: expected 0 to 1",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_clusters_that_cannot_be(arguments, message):
    with pytest.raises(ValueError) as error:
        Cluster.resolve(*arguments)
    assert str(error.value) == message
