"""A message that is not as it must be ends the team, soon, and never waits for more."""

import json
import socket

import pytest

from shakegen.training.workers import Cluster, Team, TeamError
from shakegen.training.workers.channel import CHECKS, LONGEST, Channel, StrangerError

GOOD = {
    "beat": {},
    "bye": {},
    "probe": {},
    "hello": {"index": 1, "workers": ["a:1", "b:2"]},
    "here": {"token": "abc"},
    "failed": {"message": "worker 1 ended"},
    "stop": {"signal": 15},
    "content": {"block": "YWJj"},
    "order": {"what": "learn", "rate": 0.1, "dropout": 1.0},
    "token": {"values": ["abc"]},
    "reached": {"values": [True]},
    "facts": {"values": [{"units": 8}]},
}
ORDERS = [GOOD["order"], {"what": "gather"}, {"what": "end", "signal": None}, {"what": "end", "signal": 15}]
ODD = (None, [], {}, [None], [[]], "", -1, 0.5)
NEVER = (True, 10**400, float("nan"), ["ä", 1])
LINES = (  # among them an odd signal, and a text in base64 that is cut
    b'{"kind": "content", "block": "YWJ"}\n',
    b"\n",
    b"[]\n",
    b"1\n",
    b"null\n",
    b'"beat"\n',
    b"{}\n",
    b"\xff\n",
    b'{"kind": []}\n',
    b'{"kind": "stop", "signal": null}\n',
)


def odd_messages():
    """Messages that lack a field, or have something else in it."""
    for kind, fields in [*GOOD.items(), *(("order", fields) for fields in ORDERS)]:
        for name in fields if kind != "hello" else ():
            yield {"kind": kind} | {other: value for other, value in fields.items() if other != name}
            usual = {"rate": (int, float), "dropout": (int, float), "signal": (int, type(None))}
            odd = [value for value in ODD if not isinstance(value, usual.get(name, type(fields[name])))]
            for value in (*odd, *NEVER):
                yield {"kind": kind, **fields, name: value}


@pytest.fixture
def ends():
    """The two ends of a connection: a socket, and a channel."""
    server = socket.create_server(("127.0.0.1", 0))
    one = socket.create_connection(server.getsockname())
    other, _ = server.accept()
    channel = Channel(other, 20)
    yield one, channel
    for end in (server, one, channel):
        end.close()


def test_every_message_that_workers_send_is_understood(ends):
    assert GOOD.keys() == CHECKS.keys()
    one, channel = ends
    messages = [{"kind": kind, **fields} for kind, fields in GOOD.items()]
    messages += [{"kind": "order", **fields} for fields in ORDERS]
    for message in messages:
        one.sendall(json.dumps(message).encode() + b"\n")
    received = [channel.receive() for message in messages if message["kind"] != "beat"]
    assert received == [message for message in messages if message["kind"] != "beat"]


def test_every_other_message_is_a_stranger_s(ends):
    one, channel = ends
    lines = [json.dumps(message).encode() + b"\n" for message in odd_messages()]
    for line in (*lines, *LINES):
        one.sendall(line)
        with pytest.raises(StrangerError):
            channel.receive()


def test_a_line_that_is_cut_is_a_connection_that_is_cut(ends):
    one, channel = ends
    one.sendall(b'{"kind": "be')
    one.close()
    with pytest.raises(ConnectionResetError):
        channel.receive()


@pytest.mark.parametrize(
    "line", [b'{"kind": "failed"}\n', b'{"kind": "facts", "values": 3}\n', b"nothing\n", b"[" * LONGEST], ids=len
)
def test_a_team_does_not_wait_for_the_rest_of_a_message(ends, line):
    one, channel = ends
    team = Team(Cluster(("127.0.0.1:1", "127.0.0.1:2"), 0))
    team.meet(1, channel)
    one.sendall(line)
    with pytest.raises(TeamError) as error:
        team.agree({})
    assert str(error.value) == (
        "another program answers at 127.0.0.1:2: expected worker 1 (127.0.0.1:2), of this version of shakegen and of a "
        "run that has not begun yet"
    )
    team.leave()


def test_a_team_of_another_size_is_refused(ends):
    one, channel = ends
    team = Team(Cluster(("127.0.0.1:1", "127.0.0.1:2"), 0))
    team.meet(1, channel)
    one.sendall(b'{"kind": "facts", "values": [{}, {}]}\n')
    with pytest.raises(TeamError) as error:
        team.agree({})
    assert str(error.value) == (
        "worker 1 (127.0.0.1:2) sent 2 values, worker 0 (127.0.0.1:1) expects 1: expected the same addresses for all "
        "workers"
    )
    team.leave()
