"""What catch-up takes from the worker's journal: certain until a moment, and unknown in every other case."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from consumer.config import Config
from consumer.core.errors import ConfigurationError
from consumer.core.outcome import Disposition, Outcome
from consumer.journal.file import JournalFile
from consumer.journal.format import ChainHead, encoded, sealed
from consumer.journal.reading import NO_JOURNAL
from consumer.journal.writer import JournalWriter
from consumer.operator.catch_up import journaled as module
from consumer.operator.catch_up.journaled import Journaled, journaled
from consumer.operator.catch_up.plan import KeptBack
from tests.foreign_files import FOREIGN, NO_LINE_YET
from tests.unit.telemetry.records import event, report

NOW_MS = 1_790_000_000_000
PHOTOS = ("cr-1", "1234567890123456", "photos")
FILMS = ("cr-1", "1234567890123456", "films")


def settled(at_ms: int = NOW_MS - 60_000, **changes: Any) -> dict[str, Any]:
    """A line about a message that was parked for a quarter of an hour, a minute ago."""
    fields = {
        "step": "settled",
        "at_ms": at_ms,
        "message_id": "m-1",
        "dequeue_count": 1,
        "resource": "photos",
        "account": "1234567890123456",
        "config_rule_id": "cr-1",
        "outcome": "held",
        "disposition": "parked",
        "hidden_seconds": 0,
        "parked_as": "m-2",
        "parked_seconds": 900,
    }
    return {**fields, **changes}


PARKED = KeptBack(cast("Any", "parked"), NOW_MS + 840_000, "m-2")
RECEIVED = {"step": "received", "at_ms": NOW_MS, "dequeue_count": 1}


def written(path: Path, *entries: dict[str, Any], head: ChainHead = ChainHead()) -> ChainHead:  # noqa: B008 - frozen
    """A journal with these lines; where its chain ends."""
    for entry in entries:
        line, head = sealed(head, entry)
        with path.open("ab") as file:
            file.write(line)
    return head


def found(*paths: Path, configured: str = "", wanted: Sequence[tuple[str, str, str]] = (PHOTOS, FILMS)) -> Journaled:
    """What catch-up learns from these journals."""
    config = cast("Config", SimpleNamespace(journal=SimpleNamespace(path=configured)))
    return journaled(config, paths, set(wanted), NOW_MS)


def test_a_parked_event_is_known_until_it_comes_back(tmp_path: Path) -> None:
    """With the id of its copy, under which it is received next."""
    path = tmp_path / "journal"
    written(path, settled())
    assert found(configured=str(path)) == Journaled({PHOTOS: PARKED}, (str(path),))
    assert found(path, wanted=[FILMS]).kept == {}


def test_a_hidden_one_too(tmp_path: Path) -> None:
    """Short waits, and everything while nothing can be parked: it comes back under its own id."""
    path = tmp_path / "journal"
    written(path, settled(disposition="hidden", hidden_seconds=61.5, parked_as="", parked_seconds=0))
    assert found(path).kept == {PHOTOS: KeptBack(cast("Any", "hidden"), NOW_MS + 1_500, "m-1")}


def test_what_the_worker_writes_is_what_is_read(tmp_path: Path) -> None:
    """The writer of the journal and its reader here agree on every name."""
    path = tmp_path / "journal"
    writer = JournalWriter(JournalFile(path), wall_ms=lambda: NOW_MS - 60_000)
    kept = {"disposition": Disposition.PARKED, "hidden_seconds": 0.0, "parked_as": "m-2", "parked_seconds": 900.0}
    writer.report(report(Outcome.HELD, event=event(), **kept))
    writer.close()
    named = event()
    resource = (named.config_rule_id, named.account_id, named.resource_id)
    assert found(path, wanted=[resource]).kept == {resource: PARKED}


@pytest.mark.parametrize(
    "later",
    [
        {**RECEIVED, "message_id": "m-2"},
        {**RECEIVED, "message_id": "m-2", "copy_of": "m-1"},
    ],
)
def test_one_that_was_delivered_since_is_not_parked_any_more(later: dict[str, Any], tmp_path: Path) -> None:
    """Whatever its time says: clocks differ. What it comes to then has a line of its own."""
    path = tmp_path / "journal"
    head = written(path, settled(), later)
    assert found(path).kept == {}
    written(path, settled(NOW_MS - 1_000, message_id="m-2", parked_as="m-3"), head=head)
    assert found(path).kept == {PHOTOS: KeptBack(cast("Any", "parked"), NOW_MS + 899_000, "m-3")}


@pytest.mark.parametrize(
    "line",
    [
        settled(NOW_MS - 900_000),
        settled(disposition="deleted", outcome="fixed"),
        settled(disposition="dead_lettered", outcome="rejected"),
        settled(disposition="lease_lost", outcome="lease_lost"),
        settled(disposition="released", outcome=""),
        settled(parked_seconds=None),
        settled(parked_seconds=True),
        settled(parked_seconds="900"),
        settled(parked_seconds=[900]),
        settled(parked_seconds=-1),
        settled(parked_seconds=float("nan")),
        settled(parked_seconds=604_801),
        settled(parked_seconds=10**400),
        settled(NOW_MS + 3_600_000),
        settled(0),
        settled(at_ms=cast("int", "now")),
        settled(config_rule_id="cr-2"),
        settled(account="2"),
        settled(resource=None),
        settled(step="decided"),
    ],
)
def test_what_is_over_or_cannot_be_believed_is_unknown(line: dict[str, Any], tmp_path: Path) -> None:
    """A journal of before has no time; a clock that is far ahead would keep an event back for ever."""
    path = tmp_path / "journal"
    written(path, {key: value for key, value in line.items() if value is not None})
    assert found(path).kept == {}


def test_an_ending_of_another_message_leaves_it_parked(tmp_path: Path) -> None:
    """A newer event that was repaired does not take the older one's copy off the queue."""
    path = tmp_path / "journal"
    newer = {"message_id": "other", "disposition": "deleted", "outcome": "fixed", "parked_as": ""}
    written(path, settled(), {**RECEIVED, "message_id": "other"}, settled(NOW_MS, **newer))
    assert found(path).kept == {PHOTOS: PARKED}


def test_of_several_copies_the_one_that_waits_longest_counts(tmp_path: Path) -> None:
    """Whatever order they were written in; what is delivered of the others changes nothing."""
    path = tmp_path / "journal"
    short = settled(message_id="m-8", parked_as="m-9", parked_seconds=100)
    written(path, short, settled(), short, {**RECEIVED, "message_id": "m-9"})
    assert found(path).kept == {PHOTOS: PARKED}


def test_damaged_lines_end_nothing(tmp_path: Path) -> None:
    """Torn, altered, endless, in pieces: what can be read around them counts."""
    path = tmp_path / "journal"
    head = written(path, settled(resource="films", parked_as="m-9"))
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole.replace(b'"parked_seconds":900', b'"parked_seconds":901').replace(b"films", b"photos"))
        file.write(b'{"step":"received","message_id":"m-9"}\n' + b'"disposition":"parked"' + b"[" * 100_000 + b"\n")
        file.write(b"\0" * (5 << 20) + b"\n\xff\xfe\n")
    written(path, settled(), head=head)
    with path.open("ab") as file:
        file.write(b'{"v":2,"seq":3,"step":"settled","disposition":"parked"')
    assert found(path).kept.keys() == {PHOTOS, FILMS}


def test_a_file_that_was_moved_away_is_found_by_its_last_line(tmp_path: Path) -> None:
    """The new one names it, so it may be called anything; and so on, one file after the other."""
    path, other = tmp_path / "journal.jsonl", {"resource": "films", "parked_as": "m-9", "message_id": "m-8"}
    written(tmp_path / "of somebody else", settled(resource="films"))
    os.mkfifo(tmp_path / "a pipe")
    stamp = {"at_ms": NOW_MS - 1_000, "who": "worker"}
    journal = JournalFile(path)
    for name, line in (("journal-2026-11.jsonl", settled()), ("b", settled(**other)), ("c", RECEIVED)):
        journal.append([encoded(line)], stamp)
        path.rename(tmp_path / name)
    journal.append([encoded({**RECEIVED, "message_id": "m-9"})], stamp)
    journal.close()
    assert found(path) == Journaled({PHOTOS: PARKED}, (str(path),))
    (tmp_path / "c").unlink()
    assert found(path).kept == {}, "unknown, for the chain to it is broken"


def test_files_of_long_ago_are_not_looked_for(tmp_path: Path) -> None:
    """No copy waits longer than a week, so what was moved away before that says nothing."""
    old, path = tmp_path / "old", tmp_path / "journal"
    head = written(old, settled())
    continued = {"step": "continued", "follows": head.digest, "follows_seq": 1}
    written(path, {**continued, "at_ms": NOW_MS - 604_801_000})
    assert found(path).kept == {}
    path.unlink()
    written(path, {**continued, "at_ms": NOW_MS - 604_799_000})
    assert found(path).kept == {PHOTOS: PARKED}


def test_only_the_newest_lines_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However large a journal is; a line that is cut in two is left out, one that just fits is not."""
    path = tmp_path / "journal"
    head = written(path, settled())
    written(path, settled(resource="films", parked_as="m-9"), head=head)
    size, last = path.stat().st_size, len(path.read_bytes().splitlines(keepends=True)[1])
    for most, resources in (
        (size, {PHOTOS, FILMS}),
        (size - 1, {FILMS}),
        (last, {FILMS}),
        (last - 1, set()),
        (0, set()),
    ):
        monkeypatch.setattr(module, "_MOST_BYTES", most)
        assert found(path).kept.keys() == resources, most


def test_a_cut_in_an_endless_line_leaves_that_line_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read in pieces, none of which is a line."""
    path = tmp_path / "journal"
    path.write_bytes(b"[" * (9 << 20) + b"\n")
    written(path, settled())
    monkeypatch.setattr(module, "_MOST_BYTES", path.stat().st_size - 1)
    assert found(path).kept == {PHOTOS: PARKED}


def test_several_journals_are_read_together(tmp_path: Path) -> None:
    """One for each replica: what one has received and parked anew, another one may have parked before."""
    first, second = tmp_path / "a", tmp_path / "b"
    again = settled(NOW_MS - 1_000, message_id="m-2", parked_as="m-3")
    written(first, settled(), settled(resource="films", parked_as="m-9"))
    written(second, {**RECEIVED, "message_id": "m-2"}, again)
    for paths in ((first, second), (second, first)):
        kept = found(*paths).kept
        assert kept.keys() == {PHOTOS, FILMS}
        assert kept[PHOTOS].message_id == "m-3"


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The configured one may be on the worker's machine; one that a person names has to be there."""
    missing = tmp_path / "missing"
    note = f"What is parked is unknown: the journal {missing} cannot be read: No such file or directory"
    assert found(configured=str(missing)) == Journaled({}, (), (note,))
    for each in (missing, tmp_path):
        with pytest.raises(ConfigurationError, match="--journal"):
            found(each)
    assert found() == Journaled()


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_no_journal_was_not_read(content: bytes, tmp_path: Path) -> None:
    """What was parked would be sent, without a word; a person who names it is refused."""
    path = tmp_path / "worker.log"
    path.write_bytes(content)
    note = f"What is parked is unknown: the journal {path} cannot be read: {NO_JOURNAL}"
    assert found(configured=str(path)) == Journaled({}, (), (note,))
    with pytest.raises(ConfigurationError, match=r"--journal: .* cannot be read: it is no journal"):
        found(path)


@pytest.mark.parametrize("content", NO_LINE_YET.values(), ids=NO_LINE_YET)
def test_an_empty_journal_says_nothing_of_what_is_parked(content: bytes, tmp_path: Path) -> None:
    """A worker that has just begun it has no line in it yet: no fault of anybody's, and no knowledge either."""
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.write_bytes(content)
    written(other, settled())
    note = f"What is parked is unknown: the journal {empty} has no line yet"
    assert found(configured=str(empty)) == found(empty) == Journaled({}, (), (note,))
    assert found(empty, other) == Journaled({PHOTOS: PARKED}, (str(other),), (note,))
