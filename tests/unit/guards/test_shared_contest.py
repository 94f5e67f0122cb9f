"""A contest that replicas share: counted once, over restarts, and never guessed when the directory cannot be read."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from consumer.core.errors import ConfigurationError, ContestUnreadable
from consumer.guards.contest import Contest, ContestPolicy
from consumer.guards.shared_contest import record_folder
from consumer.guards.shared_contest.fix_records import SHARDS, Subject
from consumer.guards.shared_contest.store import SharedContest, prepare
from consumer.guards.shared_contest.time_limit import TimeLimit
from consumer.resources.oss.bucket import Resource
from tests.unit.fakes import Clock
from tests.unit.guards.cases import PHOTOS
from tests.unit.guards.test_contest import POLICY, RULE, fought

VIDEOS = Resource(PHOTOS.account_id, PHOTOS.region, "videos")
ANY = 0.0
"""The moment that a process of its own would count by; what is shared does not."""


class Said:
    """What was logged."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))


@pytest.fixture
def clock() -> Clock:
    """Seconds since the epoch, for all replicas."""
    return Clock(1_800_000_000.0)


@pytest.fixture
def said() -> Said:
    """What any replica has logged."""
    return Said()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A prepared directory."""
    prepare(tmp_path)
    return tmp_path


def replica(
    directory: Path, clock: Clock, say: Said | None = None, policy: ContestPolicy = POLICY, **given: Any
) -> SharedContest:
    """One replica that uses the directory."""
    return SharedContest(directory, policy, [RULE], say or Said(), wall=clock, **given)


def records(directory: Path) -> list[Path]:
    """The fixes that are recorded."""
    return sorted((directory / "fixes").glob("*/*"))


def test_replicas_together_fix_so_often_and_then_all_leave_it_alone(directory: Path, clock: Clock) -> None:
    """Two take turns; whoever looks next is told for how long, and everybody shows the contest once."""
    one, two = replica(directory, clock), replica(directory, clock)
    for turn in (one, two, one):
        assert turn.found_broken(RULE, PHOTOS, ANY) == 0.0
        turn.fixed(RULE, PHOTOS, ANY)
    assert two.found_broken(RULE, PHOTOS, ANY) == 100.0
    clock.advance(60)
    for each in (one, two, replica(directory, clock)):
        assert each.found_broken(RULE, PHOTOS, ANY) == 40.0
        assert each.contested(ANY) == {RULE: 1}
    assert one.found_broken(RULE, VIDEOS, ANY) == 0.0
    assert one.found_broken("encryption", PHOTOS, ANY) == 0.0


def test_it_keeps_the_promises_of_the_one_that_is_not_shared(directory: Path, clock: Clock) -> None:
    """After the window it begins anew, with as many fixes as at first."""
    contest: Contest = replica(directory, clock)
    assert fought(contest, PHOTOS, 3) == 100.0
    clock.advance(100)
    assert contest.contested(ANY) == {}
    assert fought(contest, PHOTOS, 3) == 100.0


def test_fixes_that_are_long_ago_do_not_count(directory: Path, clock: Clock) -> None:
    """A bucket that breaks now and then is not contested, whoever fixes it."""
    for _ in range(20):
        contest = replica(directory, clock)
        assert contest.found_broken(RULE, PHOTOS, ANY) == 0.0
        contest.fixed(RULE, PHOTOS, ANY)
        clock.advance(50)


def test_a_release_in_one_replica_is_one_for_all(directory: Path, clock: Clock) -> None:
    """Noted at once, told to the others with the next look or scrape, and then forgotten nowhere."""
    one, two = replica(directory, clock), replica(directory, clock)
    fought(one, PHOTOS, 3)
    clock.advance(1)
    one.release()
    assert two.found_broken(RULE, PHOTOS, ANY) == 99.0
    assert one.contested(ANY) == {}
    assert two.contested(ANY) == {}
    clock.advance(1)  # the moment of the release itself still belongs to what is forgotten
    assert fought(two, PHOTOS, 3) == 100.0


def test_what_has_left_the_window_is_removed(directory: Path, clock: Clock) -> None:
    """Each fix clears one folder, each in its turn, so the directory never grows beyond what counts."""
    contest = replica(directory, clock, policy=ContestPolicy(max_fixes=1_000, window_seconds=100.0))
    for _ in range(300):
        contest.fixed(RULE, PHOTOS, ANY)
    (directory / "contested" / Subject.of(RULE, PHOTOS).mark(round(clock.now * 1000))).touch()
    assert len(records(directory)) == 300
    clock.advance(200)
    for _ in SHARDS:
        contest.fixed(RULE, VIDEOS, ANY)
    # The folder of the old fixes was cleared of 200 of them in its one turn; the next brings the rest.
    assert len(records(directory)) == 100 + len(SHARDS)
    for _ in SHARDS:
        contest.fixed(RULE, VIDEOS, ANY)
    assert len(records(directory)) == 2 * len(SHARDS)
    assert list((directory / "contested").iterdir()) == []
    assert set(contest.store_errors().values()) == {0}


def test_another_replica_may_clear_the_same_at_the_same_time(tmp_path: Path) -> None:
    """What somebody else has just removed is removed."""
    record_folder.remove(tmp_path, ["gone-already"])


def test_foreign_files_disturb_nobody_and_stay(directory: Path, clock: Clock) -> None:
    """Neither counted nor followed nor removed: files, folders, dangling links, a link to elsewhere."""
    shard = directory / "fixes" / Subject.of(RULE, PHOTOS).shard
    for folder in (shard, directory / "contested", directory):
        (folder / "README").write_text("somebody was here", encoding="utf-8")
        (folder / "a-folder").mkdir()
        (folder / "nowhere").symlink_to(directory / "missing")
        (folder / "elsewhere").symlink_to("/")
    before = sorted(directory.rglob("*"))
    contest = replica(directory, clock)
    for _ in SHARDS:
        contest.fixed(RULE, VIDEOS, ANY)
    assert contest.found_broken(RULE, PHOTOS, ANY) == 0.0
    assert fought(contest, PHOTOS, 3) == 100.0
    assert set(before) <= set(directory.rglob("*"))


def test_a_link_with_the_name_of_a_record_counts_and_is_removed_itself(directory: Path, clock: Clock) -> None:
    """Names are all that counts; where a link leads stays as it is."""
    victim = directory / "victim"
    victim.write_text("precious", encoding="utf-8")
    subject = Subject.of(RULE, PHOTOS)
    link = directory / "fixes" / subject.shard / subject.fix(round(clock.now * 1000), "0" * 12)
    link.symlink_to(victim)
    contest = replica(directory, clock, policy=ContestPolicy(max_fixes=1, window_seconds=100.0))
    assert contest.found_broken(RULE, PHOTOS, ANY) == 100.0
    clock.advance(200)
    for _ in SHARDS:
        contest.fixed(RULE, VIDEOS, ANY)
    assert not link.is_symlink()
    assert victim.read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("lost", ["contested", "fixes", "."])
def test_a_directory_that_is_gone_is_not_an_empty_one(directory: Path, clock: Clock, lost: str) -> None:
    """A share that is no longer mounted must not look like a resource that nobody has fixed."""
    contest = replica(directory, clock)
    shutil.rmtree(directory / lost)
    with pytest.raises(ContestUnreadable, match=r"contest\.directory cannot be read: No such file"):
        contest.found_broken(RULE, PHOTOS, ANY)
    assert contest.store_errors()["look"] == 1


def test_an_empty_directory_in_its_place_is_no_answer_either(directory: Path, clock: Clock) -> None:
    """That is what stays where a share was mounted."""
    contest = replica(directory, clock)
    shutil.rmtree(directory)
    directory.mkdir()
    with pytest.raises(ContestUnreadable):
        contest.found_broken(RULE, PHOTOS, ANY)


def test_a_fix_that_cannot_be_recorded_is_still_a_fix(directory: Path, clock: Clock, said: Said) -> None:
    """It is logged and counted, and this replica remembers it, so that it alone does not fix more often either."""
    contest = replica(directory, clock, said)
    shard = directory / "fixes" / Subject.of(RULE, PHOTOS).shard
    shard.rmdir()
    for _ in range(3):
        contest.fixed(RULE, PHOTOS, ANY)
    assert contest.store_errors()["record"] == 3
    assert said.lines[0] == (
        "contest.store_failed",
        {"action": "record", "reason": "No such file or directory", "rule": RULE, "resource": "photos"},
    )
    shard.mkdir()
    assert contest.found_broken(RULE, PHOTOS, ANY) == 100.0
    clock.advance(100)
    assert contest.found_broken(RULE, PHOTOS, ANY) == 0.0


def test_a_record_that_was_given_up_and_came_late_counts_once(directory: Path, clock: Clock) -> None:
    """The creation took effect after nobody waited any more."""

    class GivesUp(TimeLimit):
        def run(self, work: Any) -> Any:
            work()
            raise TimeoutError(errno.ETIMEDOUT, "no answer within 5 s")

    contest = replica(directory, clock, limit=GivesUp(5.0))
    contest.fixed(RULE, PHOTOS, ANY)
    contest._limit = TimeLimit(5.0)
    assert len(records(directory)) == 1
    for _ in range(2):
        assert contest.found_broken(RULE, PHOTOS, ANY) == 0.0
        contest.fixed(RULE, PHOTOS, ANY)
    assert contest.found_broken(RULE, PHOTOS, ANY) == 100.0


def test_a_share_that_can_only_be_read_holds_what_is_contested(
    directory: Path, clock: Clock, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look needs no mark; that none could be left is counted and logged."""

    def refuse(_folder: Path, _name: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    contest = replica(directory, clock, said)
    for _ in range(3):
        contest.fixed(RULE, PHOTOS, ANY)
    monkeypatch.setattr(record_folder, "create", refuse)
    assert contest.found_broken(RULE, PHOTOS, ANY) == 100.0
    contest.release()
    assert contest.found_broken(RULE, PHOTOS, ANY) == 0.0
    assert contest.store_errors()["look"] == 0
    assert [fields["action"] for _, fields in said.lines] == ["mark", "release"]


def test_a_release_that_could_not_be_told_is_told_later(
    directory: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then it holds in the replica that was told."""
    one, two = replica(directory, clock), replica(directory, clock)
    fought(one, PHOTOS, 3)
    clock.advance(1)
    one.release()
    with monkeypatch.context() as broken:
        broken.setattr(record_folder, "create", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
        assert one.contested(ANY) == {}
        assert two.contested(ANY) == {RULE: 1}
    assert one.contested(ANY) == {}
    assert two.contested(ANY) == {}


def test_a_share_that_hangs_holds_and_is_not_waited_for(directory: Path, clock: Clock) -> None:
    """No worker waits for ever, and the last known contests are shown for as long as they last."""
    blocked = threading.Event()
    limit = TimeLimit(0.0, most_overdue=1)
    contest = replica(directory, clock)
    fought(contest, PHOTOS, 3)
    assert contest.contested(ANY) == {RULE: 1}
    with pytest.raises(TimeoutError):
        limit.run(blocked.wait)
    contest._limit = limit
    with pytest.raises(ContestUnreadable, match="earlier calls have not come back"):
        contest.found_broken(RULE, PHOTOS, ANY)
    contest.fixed(RULE, PHOTOS, ANY)
    assert contest.contested(ANY) == {RULE: 1}
    clock.advance(100)
    assert contest.contested(ANY) == {}
    assert contest.store_errors() == {"look": 1, "record": 1, "mark": 0, "release": 0, "clear": 0, "count": 2}
    blocked.set()


_WRITER = """
import sys
from pathlib import Path
from consumer.resources.oss.bucket import Resource
from consumer.guards.contest import ContestPolicy
from consumer.guards.shared_contest.store import SharedContest

contest = SharedContest.at(Path(sys.argv[1]), ContestPolicy(1000, 600.0), ["public-read"], print)
photos = Resource("1234567890123456", "cn-hangzhou", "photos")
for _ in range(50):
    assert contest.found_broken("public-read", photos, 0.0) == 0.0
    contest.fixed("public-read", photos, 0.0)
assert not any(contest.store_errors().values())
"""


def test_processes_that_begin_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Four of them open an empty directory together; every fix of each is counted."""
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)]) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert len(records(tmp_path)) == 200


_KILLED = """
import os, signal, sys
from pathlib import Path
from consumer.resources.oss.bucket import Resource
from consumer.guards.contest import ContestPolicy
from consumer.guards.shared_contest.store import SharedContest

contest = SharedContest.at(Path(sys.argv[1]), ContestPolicy(1000, 600.0), ["public-read"], print)
for _ in range(3):
    contest.fixed("public-read", Resource("1234567890123456", "cn-hangzhou", "photos"), 0.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_has_recorded_stays(tmp_path: Path) -> None:
    """Nothing has to be closed, flushed or unlocked; who comes next finds the resource contested."""
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    next_one = SharedContest.at(tmp_path, ContestPolicy(3, 600.0), [RULE], Said())
    assert next_one.found_broken(RULE, PHOTOS, ANY) == 600.0


def test_threads_that_fix_at_once_lose_nothing(directory: Path, clock: Clock) -> None:
    """As the workers of one process do; all at the same millisecond."""
    contest = replica(directory, clock, policy=ContestPolicy(max_fixes=80, window_seconds=100.0))

    def fix() -> None:
        for _ in range(20):
            contest.fixed(RULE, PHOTOS, ANY)

    threads = [threading.Thread(target=fix) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(records(directory)) == 80
    assert contest.found_broken(RULE, PHOTOS, ANY) == 100.0


def test_a_directory_is_opened_again_and_again(tmp_path: Path) -> None:
    """The second replica finds what the first has made, and what a killed one has left half made is completed."""
    (tmp_path / "fixes").mkdir()
    SharedContest.at(tmp_path, POLICY, [RULE], Said()).fixed(RULE, PHOTOS, ANY)
    SharedContest.at(tmp_path, POLICY, [RULE], Said())
    assert {path.name for path in (tmp_path / "fixes").iterdir()} == set(SHARDS)
    assert len(records(tmp_path)) == 1


@pytest.mark.parametrize(("kind", "reason"), [("missing", "No such file or directory"), ("file", "Not a directory")])
def test_a_directory_that_cannot_be_used_is_refused_with_its_key(tmp_path: Path, kind: str, reason: str) -> None:
    """It is never created, because what is missing is the volume."""
    directory = tmp_path / kind
    if kind == "file":
        directory.touch()
    with pytest.raises(ConfigurationError) as refused:
        SharedContest.at(directory, POLICY, [RULE], Said())
    assert str(refused.value) == f"contest.directory: {directory} cannot be used: {reason}"
    assert not directory.is_dir()
