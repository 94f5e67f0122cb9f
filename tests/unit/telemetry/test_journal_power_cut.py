"""The power goes at any moment: no line is lost that was on record, and nothing was done that is not on record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from consumer.core.observers import Hooks
from consumer.core.outcome import Outcome
from consumer.journal import file as journal_file
from consumer.journal.file import JournalFile
from consumer.journal.format import encoded, parsed, verify
from consumer.journal.writer import JournalWriter
from tests.unit.bodies import event_body
from tests.unit.engine import Engine
from tests.unit.fakes import received
from tests.unit.pipeline_world import World
from tests.unit.telemetry.power import Power

STAMP = {"at_ms": 7, "who": "me"}


@pytest.fixture
def power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Power:
    """What the journal's files are written through."""
    found = Power(tmp_path)
    monkeypatch.setattr(journal_file, "os", found)
    return found


def append(file: JournalFile, number: int) -> bytes:
    """Append two lines; returns what stands in them and nowhere else, once they are on record."""
    said = f"line-{number}"
    file.append([encoded({"step": "decided", "said": f"{said}-{part}"}) for part in "ab"], STAMP)
    return said.encode()


def survive(power: Power, recorded: list[tuple[int, bytes]], folder: Path) -> None:
    """Whatever is left at every moment has all that was on record then, is whole, and is gone on with."""
    seen: set[bytes] = set()
    for moment, states in enumerate(power.moments):
        told = [said for since, said in recorded if since <= moment]
        for state in states:
            left = b"".join(state.values())
            assert [said for said in told if left.count(said) != 2] == [], moment
            for content in set(state.values()) - seen:
                seen.add(content)
                assert verify(content.splitlines(keepends=True)).problems == [], (moment, content)
                (folder / "left.jsonl").write_bytes(content)
                again = JournalFile(folder / "left.jsonl")
                again.append([encoded({"step": "opened"})], STAMP)
                again.close()
                gone_on = verify((folder / "left.jsonl").read_bytes().splitlines(keepends=True))
                assert gone_on.problems == [], (moment, content)


FAULTS = [{}, *({"fsync": [call]} for call in range(1, 6)), *({"write": [call]} for call in range(1, 6))]
FAULTS += [{"fsync": [2, 3]}, {"write": [2, 3], "fsync": [1]}, {"fsync": [1, 2, 3, 4, 5]}]


@pytest.mark.parametrize("fail", FAULTS, ids=str)
def test_what_was_on_record_is_there_after_a_power_cut_at_any_moment(
    tmp_path: Path, power: Power, monkeypatch: pytest.MonkeyPatch, fail: dict[str, list[int]]
) -> None:
    """Lines, the file moved away between them, and any write or sync of these may fail."""
    power.fail |= fail
    file = JournalFile(tmp_path / "journal.jsonl")
    recorded: list[tuple[int, bytes]] = []
    for number in range(5):
        if number == 2:
            power.rename("journal.jsonl", "older.jsonl")
        try:
            said = append(file, number)
        except OSError:
            continue
        recorded.append((len(power.moments) - 1, said))
    file.close()
    assert len(recorded) == 5 - sum(map(len, fail.values()))
    monkeypatch.undo()
    survive(power, recorded, tmp_path)


def test_a_sync_that_failed_is_never_called_a_success_by_the_next_one(tmp_path: Path, power: Power) -> None:
    """The lines are gone from the file, and what comes next takes their place in the chain."""
    power.fail["fsync"] = [2]
    file = JournalFile(tmp_path / "journal.jsonl")
    append(file, 1)
    with pytest.raises(OSError, match="Input/output"):
        append(file, 2)
    append(file, 3)
    file.close()
    assert power.certain() == (tmp_path / "journal.jsonl").read_bytes()
    assert b"line-2" not in power.certain()
    assert verify(power.certain().splitlines(keepends=True)).entries == 4


def test_lines_that_others_follow_stay_though_their_sync_failed(tmp_path: Path, power: Power) -> None:
    """Taking them back would take another process's lines along."""
    path = tmp_path / "journal.jsonl"
    file, other = JournalFile(path), JournalFile(path)
    append(file, 1)
    sync = power.fsync

    def fail(descriptor: int) -> None:
        power.fsync = sync  # type: ignore[method-assign]
        append(other, 2)
        raise OSError(5, "Input/output error")

    power.fsync = fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="Input/output"):
        append(file, 3)
    append(file, 4)
    file.close()
    other.close()
    found = verify(path.read_bytes().splitlines(keepends=True))
    assert (found.entries, found.problems) == (8, [])


class Witnessed:
    """A worker's way for one event, in which everything that is done is held against what is on the disk for good."""

    def __init__(self, power: Power, folder: Path) -> None:
        self.power = power
        self.writer = JournalWriter(JournalFile(folder / "journal.jsonl"), who="me")
        self.hooks = Hooks((), (self.writer,))
        self.unannounced: list[str] = []
        self.world = World()
        self.world.pipeline = self.world.made(self.hooks)
        self.engine = Engine()
        for settler in self.engine.settlers.values():
            settler._hooks = self.hooks
        self.engine.settlements._ledger._hooks = self.hooks
        self.ending = "decided"
        """The step that announces what is done to the message."""
        for place in (self.engine.queue, self.engine.dead_letters):
            for request in {"delete", "hide", "send"} & set(dir(place)):
                setattr(place, request, partial(self.request, getattr(place, request)))
        self.world.before("GetBucketInfo", *[lambda: self.expect("received", "a look")] * 20)
        self.world.before("PutBucketAcl", *[lambda: self.expect("before", "a change")] * 20)

    def request(self, send: Callable[..., object], *arguments: object, **more: object) -> object:
        """A request to a queue, other than a receive."""
        self.expect(self.ending, "a request to a queue")
        return send(*arguments, **more)

    def expect(self, step: str, what: str) -> None:
        """Something is about to be done that this step announces."""
        lines = self.power.certain().splitlines()
        if step not in {parsed(line).step for line in lines if parsed(line).step != "gap"}:
            self.unannounced.append(what)

    def way(self, outcome: Outcome | None = None) -> None:
        """From the receive to the end; an outcome stands in for that of a repair."""
        self.engine.queue.put("m-1", event_body())
        for delivery in self.engine.poll():
            self.hooks.received([delivery.message])
            self.world.pipeline.triage(delivery)
            ending = delivery.ending or self.world.pipeline.repair(delivery)
            if outcome:
                self.engine.resolve(delivery, outcome)
                continue
            delivery.ending = ending
            self.engine.settlements.put(delivery)
        self.engine.settle_all()


def test_nothing_is_done_that_is_not_on_the_disk_before(tmp_path: Path, power: Power) -> None:
    """No look before the receipt, no change before its state, no deletion before the verified change."""
    witnessed = Witnessed(power, tmp_path)
    witnessed.ending = "verified"
    witnessed.way()
    assert witnessed.unannounced == []
    assert witnessed.world.acl_now == "private"
    assert witnessed.engine.queue.deleted == ["m-1"]
    steps = [parsed(line).step for line in power.certain().splitlines()]
    assert steps == ["received", "before", "changed", "verified", "settled"]


@pytest.mark.parametrize(
    "outcome", [Outcome.ALREADY_COMPLIANT, Outcome.HELD, Outcome.FAILED, Outcome.INVALID, Outcome.WOULD_FIX], ids=str
)
def test_no_message_is_touched_before_its_ending_is_on_the_disk(tmp_path: Path, power: Power, outcome: Outcome) -> None:
    """Deleted, parked, hidden or dead-lettered."""
    witnessed = Witnessed(power, tmp_path)
    witnessed.way(outcome)
    assert witnessed.unannounced == []
    assert len(witnessed.engine.dispositions) == 0  # no recorder among these hooks
    assert power.certain().count(b'"settled"') == 1


@pytest.mark.parametrize("call", range(1, 6))
def test_a_sync_that_fails_keeps_no_message_from_being_settled(tmp_path: Path, power: Power, call: int) -> None:
    """Whichever it is: the message is settled, what is missing is counted, and the journal is whole."""
    power.fail["fsync"] = [call]
    witnessed = Witnessed(power, tmp_path)
    witnessed.way()
    witnessed.hooks.received([received("m-2")])
    witnessed.hooks.received([received("m-3")])
    witnessed.writer.close()
    assert witnessed.engine.queue.deleted == ["m-1"]
    found = verify((tmp_path / "journal.jsonl").read_bytes().splitlines(keepends=True))
    assert found.problems == []
    assert (found.gaps, witnessed.writer.gaps, witnessed.writer.trouble) == (1, 1, "")


def test_what_was_added_is_written_when_the_journal_is_closed(tmp_path: Path, power: Power) -> None:
    """At the end nothing else would take it along."""
    witnessed = Witnessed(power, tmp_path)
    (delivery,) = witnessed.engine.receive()
    witnessed.engine.resolve(delivery, Outcome.HELD)
    assert b"decided" not in power.certain()
    witnessed.writer.close()
    assert b"decided" in power.certain()
