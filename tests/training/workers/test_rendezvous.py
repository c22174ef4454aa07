"""How workers find each other and part, and which rows are whose: without TensorFlow, a thread for each worker."""

import contextlib
import socket
import threading
import time

import pytest
import workers

from shakegen.training.workers import Cluster, Strategy, Team, TeamError, join
from shakegen.training.workers.channel import LONGEST, Channel

SAME = "expected the same text, options and versions for all workers"


def together(act, addresses, indices=None, wait=5):
    """What a function of a team gives, or raises, for each worker, a thread each."""
    results = {}

    def work(index):
        try:
            with join(Cluster(tuple(addresses), index), wait) as team:
                results[index] = act(team)
        except (TeamError, ValueError, KeyboardInterrupt) as error:
            results[index] = error

    indices = range(len(addresses)) if indices is None else indices
    threads = [threading.Thread(target=work, args=[index]) for index in indices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def messages(results):
    return {index: str(result) for index, result in results.items()}


def test_a_process_alone_needs_no_team():
    for alone in (None, Cluster(("127.0.0.1:4000",), 0)):
        with join(alone) as strategy:
            assert type(strategy) is Strategy
            assert (strategy.chief, len(strategy)) == (True, 1)
            strategy.agree({"units": 8})
            assert strategy.share(b"model") == b"model"
            strategy.stop(15)
            assert strategy.stopped == 15
            strategy.agree({})
            assert strategy.stopped is None


@pytest.mark.parametrize("wait", [0, -1, float("nan"), float("inf")])
def test_a_wait_has_an_end(wait):
    with pytest.raises(ValueError) as error, join(Cluster(("127.0.0.1:4000", "127.0.0.1:4001"), 0), wait):
        pass
    assert str(error.value) == f"the wait for other workers is {wait:g} s: expected a number of seconds above 0"


def test_workers_meet_agree_share_and_follow_the_chief():
    def act(team: Team):
        team.agree({"units": 8})
        content = team.share(b"model" * 1_000_000 if team.chief else None)
        if team.chief:
            for rate in (0.1, 0.2):
                team.order("learn", rate=rate, dropout=1.0)
            team.order("end", signal=None)
            return content
        assert [order.get("rate") for order in team.orders()] == [0.1, 0.2, None]
        return content

    assert together(act, workers.free_addresses(3)) == dict.fromkeys(range(3), b"model" * 1_000_000)


@pytest.mark.parametrize("early", [0, 0.5])
def test_a_signal_that_one_worker_gets_reaches_the_chief(early):
    def act(team: Team):
        team.agree({})
        if not team.chief:
            team.stop(15)
            return [order["signal"] for order in team.orders()]
        time.sleep(early)
        until = time.monotonic() + 20
        while team.stopped is None and time.monotonic() < until:
            time.sleep(0.01)
        team.order("end", signal=team.stopped)
        return [team.stopped]

    assert together(act, workers.free_addresses(2)) == {0: [15], 1: [15]}


def test_the_first_difference_ends_all():
    addresses = workers.free_addresses(3)
    results = together(lambda team: team.agree({"cell": "gru", "units": 8 + (team.cluster.index == 2)}), addresses)
    message = f"worker 2 ({addresses[2]}) has units 9, worker 0 ({addresses[0]}) 8: {SAME}"
    assert messages(results) == dict.fromkeys(range(3), message)


@pytest.mark.parametrize(
    ("error", "reason"), [(ValueError("bad\n  text"), "bad text"), (KeyboardInterrupt(), "it was interrupted")]
)
@pytest.mark.parametrize("index", [0, 1])
def test_an_error_of_one_worker_ends_all_with_its_words(index, error, reason):
    def act(team: Team):
        if team.cluster.index == index:
            raise error
        team.agree({})

    addresses = workers.free_addresses(3)
    results = together(act, addresses)
    assert results.pop(index) is error
    assert messages(results) == dict.fromkeys(results, f"worker {index} ({addresses[index]}) ended: {reason}")


def test_a_worker_that_leaves_early_and_one_whose_connection_breaks_end_all():
    addresses = workers.free_addresses(2)
    results = together(lambda team: team.agree({}) if team.chief else None, addresses)
    assert str(results[0]) == f"worker 1 ({addresses[1]}) left before the end"

    def cut_off(team: Team):
        if not team.chief:
            team._channels[0]._socket.shutdown(socket.SHUT_WR)
        team.agree({})

    assert str(together(cut_off, addresses)[0]) == (
        f"worker 1 ({addresses[1]}) is gone, killed or cut off: start all workers anew, with `resume` to go on from "
        "the last checkpoint"
    )


def test_workers_that_do_not_train_the_same_runs_part():
    def act(team: Team):
        if team.chief:
            team.agree({})
        team.tell("order", what="gather")
        team.take(0, "facts")

    addresses = workers.free_addresses(2)
    message = (
        f"worker 1 ({addresses[1]}) is at another point (it sent 'order', worker 0 ({addresses[0]}) expects 'facts'): "
        "expected all workers to train the same runs in the same order"
    )
    assert messages(together(act, addresses)) == {0: message, 1: message}


def test_a_program_that_is_no_worker_at_the_address_of_the_chief():
    addresses = workers.free_addresses(2)

    def answer(server):
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(1000)

    with socket.create_server(("127.0.0.1", int(addresses[0].rpartition(":")[2]))) as server:
        thread = threading.Thread(target=answer, args=[server])
        thread.start()
        assert messages(together(str, addresses, [1])) == {
            1: f"another program answers at {addresses[0]}: expected worker 0 ({addresses[0]}), of this version of "
            "shakegen and of a run that has not begun yet"
        }
        thread.join(timeout=60)


def test_a_silent_worker_is_taken_for_dead(monkeypatch):
    monkeypatch.setattr("shakegen.training.workers.team.TIMEOUT", 0.5)
    monkeypatch.setattr("shakegen.training.workers.team.HEARTBEAT", 60)
    addresses = workers.free_addresses(2)
    results = together(lambda team: team.wait_for_problem(20), addresses)
    silent = {
        f"worker {index} ({addresses[index]}) gave no sign of life for 0.5 s: start all workers anew, with `resume` to "
        "go on from the last checkpoint"
        for index in (0, 1)
    }
    assert {str(result) for result in results.values()} <= silent, "they may find out at the same moment"
    assert results.keys() == {0, 1}


def test_a_lost_team_does_not_wait_for_tensorflow_and_no_process_is_ended(monkeypatch):
    """Where TensorFlow does not heed that it is to give up, the library raises, and leaves it behind."""
    monkeypatch.setattr("shakegen.training.workers.team.GRACE", 0.1)
    held = threading.Event()

    def act(team: Team):
        if not team.chief:
            raise ValueError("bad text")
        with pytest.raises(KeyError):
            team.wait_for({}.popitem)
        return team.wait_for(lambda: 5), team.wait_for(held.wait)

    addresses = workers.free_addresses(2)
    assert str(together(act, addresses)[0]) == f"worker 1 ({addresses[1]}) ended: bad text"
    held.set()


def test_workers_that_never_come_or_cannot_be_reached():
    addresses = workers.free_addresses(3)
    expected = "expected every worker to be started, with the same addresses; try a longer `worker_wait`"
    absent = f"worker 1 ({addresses[1]}) did not come to worker 0 ({addresses[0]}) within 0.5 s: {expected}"
    assert messages(together(str, addresses, [0, 2], 0.5)) == {0: absent, 2: absent}
    assert messages(together(str, addresses, [1], 0.5)) == {
        1: f"worker 0 ({addresses[0]}) did not answer within 0.5 s (Connection refused): expected it to be started, at "
        "an address that others reach; try a longer `worker_wait`"
    }
    with socket.create_server(("127.0.0.1", int(addresses[0].rpartition(":")[2]))):
        assert messages(together(str, addresses, [0], 0.5)) == {
            0: f"worker 0 ({addresses[0]}) cannot open its port (Address already in use): expected one that no other "
            "program uses, and that it may open"
        }


def test_a_worker_that_others_cannot_reach(monkeypatch):
    monkeypatch.setattr("shakegen.training.workers.rendezvous.GREETING", 0.5)
    look_up, reason = socket.getaddrinfo, "Name or service not known"

    def know_nowhere(host, *more, **options):
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, reason)
        return look_up(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", know_nowhere)
    first, second = workers.free_addresses(2)
    addresses = [first, second.replace("127.0.0.1", "nowhere.invalid")]
    message = (
        f"worker 0 ({first}) cannot reach worker 1 ({addresses[1]}) ({reason}): expected an address at "
        "which all others reach it, and no firewall between"
    )
    assert messages(together(str, addresses)) == {0: message, 1: message}


def test_whoever_does_not_belong_to_the_team_is_turned_away():
    addresses = workers.free_addresses(3)
    host, port = addresses[0].split(":")
    answers = []

    def strangers(team):
        for say in (
            lambda channel: channel._socket.sendall(b"GET / HTTP/1.1\r\n\r\n" * 9),
            lambda channel: channel._socket.sendall(b"[" * LONGEST),
            lambda channel: channel.send("hello", index=1),
            lambda channel: channel.send("hello", index=1, workers=5),
        ):
            with contextlib.closing(Channel(socket.create_connection((host, int(port))))) as channel:
                say(channel)
                with contextlib.suppress(ConnectionError):
                    answers.append(channel.receive())

    thread = threading.Thread(target=together, args=[lambda team: team.agree({}), addresses, [0], 20])
    thread.start()
    other = [*addresses[:2], "127.0.0.1:9"]
    assert messages(together(str, other, [1], 20)) == {
        1: f"worker 0 ({addresses[0]}) refused this process, which has other workers, {','.join(other)}"
    }
    strangers(None)
    assert [answer["message"] for answer in answers] == [
        f"worker 0 ({addresses[0]}) refused this process, which has other workers, "
    ] * 2
    results = together(lambda team: team.agree({}), addresses, [1, 2], 20)
    thread.join(timeout=60)
    assert results == {1: None, 2: None}


def test_a_worker_that_cannot_open_its_port_says_so_to_all():
    addresses = workers.free_addresses(2)
    with socket.create_server(("127.0.0.1", int(addresses[1].rpartition(":")[2]))):
        found = messages(together(str, addresses, wait=20))
    message = (
        f"worker 1 ({addresses[1]}) cannot open its port (Address already in use): expected one that no other program "
        "uses, and that it may open"
    )
    assert found == {0: message, 1: message}
