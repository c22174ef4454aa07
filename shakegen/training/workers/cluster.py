"""The addresses of the workers, and the index of this process among them. Only Python."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

ROLES = ("chief", "worker")
EXAMPLE = "expected host:port for each worker, separated by commas, such as 10.0.0.1:4000,10.0.0.2:4000"


@dataclass(frozen=True)
class Cluster:
    """The workers of a training run.

    Attributes:
        addresses: host:port for each worker; the first one is the chief, which decides and writes.
        index: of this process, from 0.

    Raises:
        ValueError: an address is malformed or given twice, or the index is out of range.
    """

    addresses: tuple[str, ...]
    index: int

    def __post_init__(self):
        for address in self.addresses:
            parse_address(address)
        if len(set(self.addresses)) < len(self.addresses):
            raise ValueError(f"the workers {','.join(self.addresses)} have an address twice: {EXAMPLE}")
        if not 0 <= self.index < len(self.addresses):
            raise ValueError(
                f"the worker index is {self.index}: expected 0 to {len(self.addresses) - 1}, for there are "
                f"{len(self.addresses)} workers"
            )

    def __len__(self) -> int:
        """The number of workers."""
        return len(self.addresses)

    def name(self, index: int) -> str:
        """The name of a worker in messages."""
        return f"worker {index} ({self.addresses[index]})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Cluster | None":
        """The cluster of the environment variable TF_CONFIG; None where it is not set or names no cluster.

        Raises:
            ValueError: it is not as TensorFlow defines it, or the task is neither a chief nor a worker.
        """
        text = environment.get("TF_CONFIG", "")
        if not text.strip():
            return None
        try:
            config = json.loads(text)
            cluster = config.get("cluster")
            if not cluster:
                return None
            addresses = {role: tuple(map(str.strip, cluster.get(role, ()))) for role in ROLES}
            role, index = config["task"]["type"], int(config["task"]["index"])
        except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError):
            raise ValueError(
                'TF_CONFIG is not usable: expected JSON such as {"cluster": {"worker": ["10.0.0.1:4000", '
                '"10.0.0.2:4000"]}, "task": {"type": "worker", "index": 0}}'
            ) from None
        if role not in ROLES:
            raise ValueError(f"TF_CONFIG gives this process the role {role!r}: expected one of {', '.join(ROLES)}")
        if not 0 <= index < len(addresses[role]):
            raise ValueError(f"TF_CONFIG has no {role} {index}: expected 0 to {len(addresses[role]) - 1}")
        before = len(addresses["chief"]) if role == "worker" else 0
        return cls(addresses["chief"] + addresses["worker"], before + index)

    @classmethod
    def resolve(cls, workers: str | None, index: int | None, environment: Mapping[str, str]) -> "Cluster | None":
        """The cluster of the options if they are given, else of the environment; None where neither names one.

        Args:
            workers: the addresses, separated by commas.
            index: of this process.
            environment: of this process; read as `from_environment` does.

        Raises:
            ValueError: the addresses or the index are wrong, or one is given without the other.
        """
        if workers is None:
            if index is not None:
                raise ValueError("`worker_index` is given without `workers`: expected the addresses of all, too")
            return cls.from_environment(environment)
        if index is None:
            raise ValueError("`workers` is given without `worker_index`: expected which of them this is, from 0")
        return cls(tuple(address.strip() for address in workers.split(",")), index)


def parse_address(address: str) -> tuple[str, int]:
    """The host and the port of an address; raises ValueError where it is malformed."""
    host, _, port = address.rpartition(":")
    try:
        host.encode("idna")
    except UnicodeError:
        host = ""
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise ValueError(f"{address!r} is no address of a worker: {EXAMPLE}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def first_difference(own: Mapping, other: Mapping) -> str | None:
    """The first name whose value differs between the facts of two workers; None where none does."""
    return next((name for name in {**own, **other} if own.get(name) != other.get(name)), None)
