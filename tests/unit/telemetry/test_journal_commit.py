"""Who waits for which write, and what each is told: one write for all that wait, one result for each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

import pytest

from consumer.journal.commit import GroupCommit
from tests.emulation import eventually
from tests.patience import PATIENCE_SECONDS


class Disk:
    """Takes lines, as slowly as a test wants, and fails when it is told to."""

    def __init__(self) -> None:
        self.writes: list[list[bytes]] = []
        self.written: set[bytes] = set()
        self.threads: list[int] = []
        self.fail: list[BaseException | None] = []
        """What the next writes come to."""
        self.goes_on = threading.Event()
        self.goes_on.set()

    def __call__(self, lines: Sequence[bytes]) -> None:
        """Write."""
        self.threads.append(threading.get_ident())
        self.writes.append(list(lines))
        assert self.goes_on.wait(PATIENCE_SECONDS)
        if self.fail and (error := self.fail.pop(0)):
            raise error
        self.written.update(lines)


@pytest.fixture
def disk() -> Disk:
    """A disk that is quick."""
    return Disk()


@pytest.fixture
def commits(disk: Disk) -> GroupCommit:
    """What is tested."""
    return GroupCommit(disk)


def waiting(commits: GroupCommit) -> int:
    """How many lines wait for the next write."""
    return len(commits._next.lines)


def started(call: Callable[[], None]) -> Future[None]:
    """A call on a thread of its own; one that never returns keeps no test from ending."""
    found: Future[None] = Future()

    def run() -> None:
        try:
            found.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is what the test asks for
            found.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return found


def together(commits: GroupCommit, disk: Disk, first: bytes, *others: bytes) -> list[BaseException | None]:
    """What each commit comes to, where all others come while the first is being written."""
    disk.goes_on.clear()
    calls = [started(partial(commits.commit, [first]))]
    eventually(lambda: bool(disk.writes))
    calls += [started(partial(commits.commit, [line])) for line in others]
    eventually(lambda: waiting(commits) == len(others))
    assert not any(call.done() for call in calls)
    disk.goes_on.set()
    return [call.exception(PATIENCE_SECONDS) for call in calls]


def test_whoever_is_alone_writes_at_once_and_by_himself(commits: GroupCommit, disk: Disk) -> None:
    """No other thread takes part, so none has to be waited for."""
    commits.commit([b"a"])
    commits.commit([b"b", b"c"])
    assert disk.writes == [[b"a"], [b"b", b"c"]]
    assert set(disk.threads) == {threading.get_ident()}


def test_all_who_wait_share_one_write(commits: GroupCommit, disk: Disk) -> None:
    """However many come while a slow disk writes, there is one more write for them, and nobody returns before it."""
    assert together(commits, disk, b"a", b"b", b"c", b"d") == [None] * 4
    assert [sorted(lines) for lines in disk.writes] == [[b"a"], [b"b", b"c", b"d"]]


def test_a_write_that_fails_fails_for_all_who_shared_it_and_for_nobody_else(commits: GroupCommit, disk: Disk) -> None:
    """Each gets an error of its own, with what the disk said."""
    disk.fail = [None, OSError(28, "No space left on device"), None]
    errors = together(commits, disk, b"a", b"b", b"c")
    assert errors[0] is None
    assert [str(error) for error in errors[1:]] == ["[Errno 28] No space left on device"] * 2
    assert errors[1] is not errors[2]
    commits.commit([b"d"])
    assert disk.writes[2] == [b"d"], "what failed is not written again"


@pytest.mark.parametrize("error", [ValueError("a defect"), KeyboardInterrupt(), MemoryError()], ids=repr)
def test_whatever_ends_a_write_nobody_waits_for_ever(commits: GroupCommit, disk: Disk, error: BaseException) -> None:
    """The writer gets what happened, those who shared the write an error, and the next write is made."""
    disk.fail = [None, error]
    found = together(commits, disk, b"a", b"b", b"c")
    assert found[0] is None
    assert {type(each) for each in found[1:]} == {type(error), InterruptedError}
    commits.commit([b"d"])
    assert disk.writes[-1] == [b"d"]


def test_what_was_added_goes_with_the_next_write_in_its_order(commits: GroupCommit, disk: Disk) -> None:
    """It costs no write of its own."""
    commits.add([b"a"])
    commits.add([b"b"])
    assert disk.writes == []
    commits.commit([b"c"])
    assert disk.writes == [[b"a", b"b", b"c"]]


def test_a_commit_of_nothing_writes_what_was_added_and_else_nothing(commits: GroupCommit, disk: Disk) -> None:
    """As a settler commits before each of its requests."""
    commits.commit()
    assert disk.writes == []
    commits.add([b"a"])
    commits.commit()
    commits.commit()
    assert disk.writes == [[b"a"]]


def test_a_commit_of_nothing_waits_for_what_is_being_written(commits: GroupCommit, disk: Disk) -> None:
    """A line that was added before may be in that write."""
    commits.add([b"a"])
    disk.goes_on.clear()
    first = started(commits.commit)
    eventually(lambda: bool(disk.writes))
    second = started(commits.commit)
    eventually(lambda: second.done() or bool(commits._latest.changed._waiters))  # type: ignore[attr-defined]
    assert not second.done()
    disk.goes_on.set()
    assert [each.exception(PATIENCE_SECONDS) for each in (first, second)] == [None, None]
    assert disk.writes == [[b"a"]]


def test_many_threads_lose_nothing_and_keep_their_order(commits: GroupCommit, disk: Disk) -> None:
    """Every line is written once, before its commit returns, and after those that its thread wrote before."""
    missing: list[bytes] = []

    def write(name: int) -> None:
        for number in range(200):
            line = b"%d-%03d" % (name, number)
            if number % 3:
                commits.commit([line])
                missing.extend({line} - disk.written)
            else:
                commits.add([line])

    for writing in [started(partial(write, name)) for name in range(8)]:
        writing.result(PATIENCE_SECONDS)
    commits.commit()
    written = [line for lines in disk.writes for line in lines]
    assert missing == []
    assert len(written) == 8 * 200
    for name in range(8):
        own = [line for line in written if line.startswith(b"%d-" % name)]
        assert own == sorted(own)
