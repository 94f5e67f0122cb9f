"""Alerts that only invented series had made fire: each is provoked on a real worker, and its text names the cause.

Every metric comes from a process's own /metrics while its fault lasts; see `tests.faults.alerts`. No fault can provoke
BooksDoNotBalance, because received, settled and in flight come from one look under one lock: a worker that was made to
forget a settlement stands in for the defect that the alert is about.
"""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from emulator.client import Emulator
from tests.faults.alerts import Fired, Scrape, fired
from tests.faults.mutants import count_undeleted_for_four_seconds, forget_a_settlement, module
from tests.faults.replica import Key, Replica
from tests.faults.stage import Pace, Stage, staged, until
from tests.patience import PATIENCE_SECONDS

_PACE = Pace(workers=4)


class Watched:
    """Replicas of a stage, scraped before and while something is wrong."""

    def __init__(self, stage: Stage, *replicas: Replica) -> None:
        self._folder = stage.folder
        self._replicas = replicas
        for replica in replicas:
            replica.start()
        for replica in replicas:
            assert until(replica.ready), replica.text()
        self._scrapes = [self.scrape()]

    def scrape(self) -> Scrape:
        """One look at all of them."""
        return Scrape.of(self._replicas)

    def fires(self, alert: str, minutes: int, interval_minutes: int = 1) -> list[Fired]:
        """How the alert fires if what is scraped now lasts for so many minutes."""
        return fired(self._folder, alert, [*self._scrapes, self.scrape()], minutes, interval_minutes)

    def one(self, alert: str, minutes: int, interval_minutes: int = 1) -> Fired:
        """The one way in which it fires, once it does; it had not fired without the fault."""
        before = fired(self._folder, alert, self._scrapes, minutes, interval_minutes)
        assert not before, f"{alert} fires without its fault: {before}"
        found: list[Fired] = []

        def fires() -> bool:
            found[:] = self.fires(alert, minutes, interval_minutes)
            return bool(found)

        assert until(fires), f"{alert} does not fire"
        assert len(found) == 1, found
        return found[0]

    def shows(self, part: str, *, value: Callable[[float], bool] = bool) -> bool:
        """Whether a series whose name and labels hold this text has such a value now."""
        return any(part in name and value(found) for name, found in self.scrape().values.items())


def public(stage: Stage, count: int = 3) -> None:
    """Buckets that anybody may read, reported to the queue."""
    stage.emulator.create_buckets(count=count, prefix="bucket-", acl="public-read")


def test_leases_that_are_lost_are_a_ticket(stage: Stage) -> None:
    """Somebody else receives the same messages, so that no settlement of ours is for a lease that we still have."""
    watched = Watched(stage, stage.replica(_PACE))
    stage.emulator.faults.add("error", "ChangeMessageVisibility", service="mns", status=404, code="MessageNotExist")
    stage.emulator.faults.add("error", "PutBucketAcl", service="oss", status=503, code="ServiceUnavailable")
    public(stage, 8)
    assert until(lambda: watched.shows('disposition="lease_lost"', value=lambda lost: lost > 5))
    assert "deliveries were lost before they were settled" in watched.one("LeaseLost", 5).summary


def test_a_fight_over_a_bucket_is_a_ticket(stage: Stage) -> None:
    """Made public again after the one fix that the contest allows."""
    settings = {"REMEDIATOR__CONTEST__MAX_FIXES": "1", "REMEDIATOR__CONTEST__WINDOW_SECONDS": "3600"}
    watched = Watched(stage, stage.replica(_PACE, **settings))
    stage.emulator.create_buckets(["photos"], acl="public-read")
    assert until(lambda: not stage.broken() and not stage.left())
    stage.emulator.change_bucket("photos", acl="public-read")
    assert until(lambda: watched.shows("remediator_contested_resources"))
    assert watched.one("ResourceContested", 1).labels["rule"] == "public-read"


@contextmanager
def one_answer(emulator: Emulator) -> Iterator[str]:
    """A source of credentials that gives a key for five minutes, once; from then on it answers 503."""
    given = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if given.is_set():
                self.send_error(503)
                return
            given.set()
            with urllib.request.urlopen(f"{emulator.credentials_url}?lifetime_seconds=300") as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def test_credentials_that_cannot_be_renewed_are_a_page(stage: Stage) -> None:
    """While their key still works the worker works on, and says when that will end."""
    with one_answer(stage.emulator) as url:
        watched = Watched(stage, stage.replica(_PACE, key=Key(credentials_url=url)))
        public(stage)
        assert until(lambda: not stage.broken())
        account = stage.emulator.endpoints.account_id
        found = watched.fires("CredentialsExpiring", 3)
        assert [each.labels["account"] for each in found] == [account]
        assert found[0].summary.startswith(f"The credentials for account {account} end in 2m")


_EXEMPTION = """
[[exemptions]]
name = "open-data"
resources = ["open-*"]
reason = "published on purpose"
owner = "data team"
expires = {until}
"""


def test_an_exemption_that_ends_within_the_week_is_a_ticket(stage: Stage) -> None:
    """By the date of the configuration, as the worker exports it."""
    soon, later = (datetime.now(UTC).date() + timedelta(days=days) for days in (3, 30))
    ends = Watched(stage, stage.replica(tables=_EXEMPTION.format(until=soon)))
    assert [each.labels["exemption"] for each in ends.fires("ExemptionExpiring", 90)] == ["open-data"]
    lasts = Watched(stage, stage.replica(tables=_EXEMPTION.format(until=later)))
    assert not lasts.fires("ExemptionExpiring", 90)


def test_a_rule_that_has_only_observed_for_two_weeks_is_a_ticket(stage: Stage) -> None:
    """And has found something to repair within the last day."""
    watched = Watched(stage, stage.replica(_PACE, mode="observe"))
    public(stage)
    two_weeks = 15 * 24 * 60
    assert until(lambda: watched.shows('outcome="would_fix"', value=lambda found: found >= 3))
    assert not watched.fires("ObserveModeForgotten", two_weeks, 60), "nothing was found within the last day"
    growing = [watched.scrape()] * (two_weeks // 60)
    stage.emulator.create_buckets(count=2, prefix="more-", acl="public-read")
    assert until(lambda: watched.shows('outcome="would_fix"', value=lambda found: found >= 8))
    found = fired(stage.folder, "ObserveModeForgotten", [*growing, watched.scrape()], two_weeks + 180, 60)
    assert [each.labels["rule"] for each in found] == ["public-read"]


def test_one_replica_down_is_a_ticket_and_all_of_them_a_page(stage: Stage) -> None:
    """Killed, so that nothing answers at its port any more."""
    first, second = stage.replica(_PACE), stage.replica(_PACE)
    watched = Watched(stage, first, second)
    first.kill()
    assert watched.one("ReplicaDown", 10).summary == f"{first.name} cannot be scraped"
    assert not watched.fires("TargetAbsent", 10)
    second.kill()
    assert watched.one("TargetAbsent", 10).summary == "No replica of config-remediator can be scraped"
    assert not watched.fires("ReplicaDown", 10)


def test_not_knowing_for_hours_is_a_ticket(stage: Stage) -> None:
    """Polls are refused: what is open meanwhile nobody can say."""
    watched = Watched(stage, stage.replica(_PACE))
    stage.emulator.faults.add("error", "BatchReceiveMessage", service="mns", status=403, code="AccessDenied")
    assert until(lambda: watched.shows('remediator_exposures_unknown{job="config-remediator"', value=bool))
    assert until(lambda: watched.shows('reason="not_polling"'))
    found = watched.fires("ExposuresUnknown", 150)
    assert "not_polling" in {each.labels["reason"] for each in found}


def test_books_that_do_not_balance_are_a_page(tmp_path: Path) -> None:
    """A worker that was made to forget one kind of settlement; the real one cannot be brought to it."""
    with staged(tmp_path, module=module(forget_a_settlement)) as stage:
        replica = stage.replica(_PACE)
        watched = Watched(stage, replica)
        public(stage, 2)
        # The queue has deleted a message before the worker knows.
        assert until(lambda: not stage.left() and replica.books().in_flight == 0), replica.text()
        assert watched.one("BooksDoNotBalance", 5).summary == "replica-0 cannot account for 2 messages"


def test_the_limit_of_undeleted_messages_is_a_page_and_ends_by_itself(tmp_path: Path) -> None:
    """Reached: nothing more is received, not ready, and the text names the limit. Past its window: all goes on.

    The service's window is half an hour; the worker of this test counts over four seconds.
    """
    with staged(tmp_path, module=module(count_undeleted_for_four_seconds)) as stage:
        replica = stage.replica(_PACE, REMEDIATOR__ENGINE__MAX_UNDELETED="1")
        watched = Watched(stage, replica)
        stage.emulator.faults.add("error", "PutBucketAcl", service="oss", status=403, code="AccessDenied")
        public(stage, 2)
        assert until(lambda: replica.get("/readyz") == (503, "polling is paused: undeleted_limit")), replica.text()
        # It ends and begins again while the fault lasts, so that a single look may come in between.
        gauge = 'polling_paused{job="config-remediator",instance="replica-0",reason="undeleted_limit"}'
        assert until(lambda: watched.shows(gauge)), replica.text()
        assert "(undeleted_limit)" in watched.one("PollingPaused", 5).summary
        assert until(lambda: bool(replica.events("polling.paused"))), replica.text()
        assert replica.events("polling.paused")[0]["reason"] == "undeleted_limit"
        stage.emulator.faults.clear()
        assert until(lambda: not stage.broken() and not stage.left()), replica.text()
        assert until(replica.ready), replica.get("/readyz")
        assert until(lambda: not watched.fires("PollingPaused", 5))
        assert until(lambda: bool(replica.events("polling.resumed"))), replica.text()
        assert replica.stop(PATIENCE_SECONDS) == 0
        assert not stage.verdict().violations
