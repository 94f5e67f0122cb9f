"""`dlq redrive` and `dlq drop`: nothing is lost, and nothing is dealt with that was not meant."""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mns.mns_exception import MNSServerException
from mns.queue import Message

from emulator.client import Emulator
from emulator.provisioning import account
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.letters import DEAD, letter, originals, put, taken, visible_again
from tests.integration.queues import dead_letters, messages
from tests.patience import PATIENCE_SECONDS


def test_a_redrive_sends_the_original_and_deletes_only_after_that(cli: Cli, channel: Emulator) -> None:
    """Body for body what Cloud Config sent; the letter is deleted after its send in the journal."""
    put(channel, letter(1), letter(2))
    start = channel.journal()[-1].sequence
    result = cli.run("dlq", "redrive")
    assert result.status == 0
    assert originals(channel) == ["original 1 \N{BIOHAZARD SIGN}", "original 2 \N{BIOHAZARD SIGN}"]
    assert dead_letters(channel) == []
    order = [
        entry.operation
        for entry in channel.journal(start)
        if entry.operation in ("SendMessage", "DeleteMessage", "BatchDeleteMessage")
    ]
    assert order == ["SendMessage", "BatchDeleteMessage"] * 2


ORIGIN = {
    "message_id": "C-2",
    "origin_id": "M-1",
    "enqueued_at_ms": 1_700_000_000_000,
    "first_seen_ms": 1_700_000_060_000,
    "receipts": 9,
    "attempts": 5,
    "first_dead_lettered_at_ms": 1_700_000_120_000,
}


def beside(emulator: Emulator) -> dict[str, str]:
    """What the one message in the worker's queue carries beside its body."""
    (message,) = messages(emulator, "config-events")
    return {item["name"].removeprefix("remediator-"): item["value"] for item in message["user"]}


def test_a_redrive_keeps_where_a_message_comes_from_and_since_when(cli: Cli, channel: Emulator) -> None:
    """The original body as ever; beside it its first times and its receipts. Its attempts begin anew."""
    put(channel, letter(1, **ORIGIN))
    (listed,) = cli.json("dlq", "list")
    assert listed["origin_id"] == "M-1"
    assert cli.run("dlq", "redrive").status == 0
    assert originals(channel) == ["original 1 \N{BIOHAZARD SIGN}"]
    assert beside(channel) == {
        "origin-id": "M-1",
        "first-enqueued-ms": "1700000000000",
        "first-received-ms": "1700000060000",
        "receipts": "9",
        "attempts": "0",
        "reason": "redriven:AccessDenied",
        "dead-letter-ms": "1700000120000",
    }


@pytest.mark.parametrize(
    "forged",
    [
        {"first_seen_ms": "soon"},
        {"receipts": 2**52},
        {"origin_id": "[red]M-1"},
    ],
)
def test_a_letter_that_contradicts_the_service_carries_nothing(
    forged: dict[str, object], cli: Cli, channel: Emulator
) -> None:
    """Its body is redriven all the same."""
    put(channel, letter(1, **{**ORIGIN, **forged}))
    assert cli.run("dlq", "redrive").status == 0
    assert (originals(channel), beside(channel)) == (["original 1 \N{BIOHAZARD SIGN}"], {})


def test_a_clock_that_is_ahead_of_the_services_costs_no_history(cli: Cli, channel: Emulator) -> None:
    """The moment of dead-lettering is the worker's own: the letter's arrival, by the service, bounds it."""
    put(channel, letter(1, **{**ORIGIN, "first_dead_lettered_at_ms": 9_000_000_000_000}))
    (stored,) = messages(channel, DEAD)
    assert cli.run("dlq", "redrive").status == 0
    assert beside(channel)["dead-letter-ms"] == str(stored["enqueue_ms"])


def test_a_message_too_large_with_its_history_is_redriven_without(cli: Cli, channel: Emulator) -> None:
    """The body is what counts."""
    body = "x" * 65_500
    packed = base64.b85encode(zlib.compress(body.encode())).decode()
    put(channel, letter(1, **ORIGIN, body=packed, body_encoding="zlib+base85"))
    assert cli.run("dlq", "redrive").status == 0
    assert (originals(channel), beside(channel)) == ([body], {})


def test_letters_of_two_copies_of_one_message_are_redriven_once(cli: Cli, channel: Emulator) -> None:
    """A lost confirmation made two parked copies, and both were given up."""
    put(channel, letter(1, **ORIGIN), letter(1, **{**ORIGIN, "message_id": "C-3"}))
    assert cli.run("dlq", "redrive").status == 0
    assert len(originals(channel)) == 1
    assert dead_letters(channel) == []


def test_a_redrive_takes_only_what_is_meant(forty: Cli, channel: Emulator) -> None:
    """Filters and limit choose; the others are visible again."""
    assert forty.run("dlq", "redrive", "--reason", "not_owner", "--limit", "3", "--rate", "50").status == 0
    assert len(originals(channel)) == 3
    assert visible_again(channel) == 37


def test_a_dry_run_changes_nothing_but_dequeue_counts(forty: Cli, channel: Emulator) -> None:
    """Neither queue gains or loses a message."""
    result = forty.run("dlq", "redrive", "--dry-run")
    assert result.status == 0
    assert "would be redriven" in result.out
    assert originals(channel) == []
    assert visible_again(channel) == 40


def test_a_send_that_is_not_confirmed_keeps_the_letter(cli: Cli, channel: Emulator) -> None:
    """Status 3, the reason is told, and the letter is visible again."""
    put(channel, letter(1))
    channel.faults.add("error", "SendMessage", service="mns", status=503, code="ServiceUnavailable")
    result = cli.run("dlq", "redrive")
    assert result.status == 3
    assert "not sent: mns SendMessage: ServiceUnavailable" in result.out
    assert visible_again(channel) == 1


def test_a_letter_that_cannot_be_deleted_is_reported(cli: Cli, channel: Emulator) -> None:
    """The body was sent; that the letter is still there is said."""
    put(channel, letter(1))
    channel.faults.add("error", "BatchDeleteMessage", service="mns", status=503, code="ServiceUnavailable")
    result = cli.run("dlq", "redrive")
    assert result.status == 3
    assert "sent, but the letter is still there" in result.out
    assert len(originals(channel)) == len(dead_letters(channel)) == 1


def test_a_foreign_message_is_left_unless_it_is_meant(cli: Cli, channel: Emulator) -> None:
    """What MNS or somebody else put there is redriven only with --foreign, as it is."""
    put(channel, "moved by the service")
    assert cli.run("dlq", "redrive").status == 4
    assert originals(channel) == []
    channel.advance(2)
    assert cli.run("dlq", "redrive", "--foreign").status == 0
    assert originals(channel) == ["moved by the service"]


def test_drop_asks_and_takes_no_for_an_answer(cli: Cli, channel: Emulator) -> None:
    """No, and no answer at all, keep everything: status 4."""
    put(channel, letter(1), letter(2))
    for answer in ("n\n", ""):
        result = cli.run("dlq", "drop", answer=answer)
        assert result.status == 4
        assert "Drop these 2 dead letters for good?" in result.err
        assert visible_again(channel) == 2


def test_drop_deletes_what_was_agreed_to(cli: Cli, channel: Emulator) -> None:
    """Yes, or --yes, deletes what is meant and nothing else."""
    put(channel, letter(1), letter(2, reason="not_owner"), letter(3))
    assert cli.run("dlq", "drop", "--reason", "not_owner", "--yes").status == 0
    assert [each["resource_id"] for each in dead_letters(channel)] == ["bucket-01", "bucket-03"]
    assert originals(channel) == []


def sends(emulator: Emulator, queue: str, after: int = 0) -> int:
    """How many messages were sent to a queue, by the emulator's journal."""
    return sum(
        entry.operation == "SendMessage" and entry.resource.rpartition("/")[2] == queue
        for entry in emulator.journal(after)
    )


@contextmanager
def returning(emulator: Emulator) -> Iterator[None]:
    """A worker that fails whatever it receives: each message becomes a new letter within milliseconds."""
    stop = threading.Event()

    def work() -> None:
        with account(emulator) as owner:
            main, dead = owner.get_queue("config-events"), owner.get_queue(DEAD)
            main.set_encoding(False)
            dead.set_encoding(False)
            while not stop.is_set():
                try:
                    message = main.receive_message()
                except MNSServerException:
                    continue  # nothing there
                origin = {"message_id": message.message_id, "body": message.message_body}
                dead.send_message(Message(letter(0, **origin)))
                main.delete_message(message.receipt_handle)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("options", [(), ("--rule", "public-read"), ("--limit", "5"), ("--rate", "20")])
def test_a_letter_that_comes_back_is_not_redriven_again(cli: Cli, channel: Emulator, options: tuple[str, ...]) -> None:
    """Beside a worker that sends everything back at once, each letter is sent once: it is a new one when it returns."""
    put(channel, *(letter(number) for number in range(8)))
    start = channel.journal()[-1].sequence
    with returning(channel):
        result = cli.run("dlq", "redrive", *options)
    assert result.status == 0
    assert sends(channel, "config-events", start) == (5 if "--limit" in options else 8)
    assert len(dead_letters(channel)) + len(originals(channel)) == 8


def test_a_drop_takes_only_what_was_there_when_it_began(cli: Cli, channel: Emulator) -> None:
    """Somebody writes letters all the time once it has begun: --yes drops the ten that were there, and no other."""
    put(channel, *(letter(number) for number in range(10)))
    stop = threading.Event()

    def write() -> None:
        eventually(lambda: any(message["state"] != "active" for message in messages(channel, DEAD)))
        channel.advance(0.1)
        while not stop.is_set():
            put(channel, letter(99))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        result = cli.run("dlq", "drop", "--yes")
    finally:
        stop.set()
        thread.join()
    assert result.status == 0, result
    assert "letters in the queue: 10, fitting: 10, meant: 10." in result.err
    assert {each["resource_id"] for each in dead_letters(channel)} == {"bucket-99"}


def test_a_limit_counts_letters_and_not_their_copies(cli: Cli, channel: Emulator) -> None:
    """A letter that was written twice, because its confirmation got lost, is one: sent once, and both are gone."""
    twice = letter(1, message_id="A" * 32)
    put(channel, twice, twice, letter(2, message_id="B" * 32), letter(3, message_id="A" * 32))
    assert cli.run("dlq", "redrive", "--limit", "1").status == 0
    assert len(originals(channel)) == 1
    assert len(dead_letters(channel)) == 2


def test_what_becomes_of_redriven_letters_is_reported(cli: Cli, channel: Emulator) -> None:
    """The new message's id, which the worker's log has, and the command that shows what has come back."""
    put(channel, letter(1))
    result = cli.run("dlq", "redrive")
    (sent,) = messages(channel, "config-events")
    assert sent["id"] in result.out
    assert "dlq list --newer-than" in result.out


def test_with_wait_it_shows_what_became_of_each_message(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """Beside a worker with a journal: one was repaired, the other one is a new letter, named with its reason."""
    cli.configure(more=f'\n[journal]\npath = "{tmp_path / "journal.jsonl"}"\n')
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    bodies = [
        taken(channel, bucket="photos", rule="oss-bucket-public-read-prohibited"),
        taken(channel, bucket="theirs", rule="oss-bucket-public-read-prohibited", owner_id="9999888877776666"),
    ]
    put(channel, *(letter(number, body=body) for number, body in enumerate(bodies)))
    with cli.working():
        result = cli.run("dlq", "redrive", "--wait", f"{PATIENCE_SECONDS:g}s", "--output", "json")
    assert result.status == 0, result
    became = {each["resource"]: each["became"] for each in result.document}
    (back,) = messages(channel, DEAD)
    assert became == {
        "bucket-00": "fixed, deleted",
        "bucket-01": f"came back as letter {back['id'][-12:]}: rejected, account_not_allowed",
    }


def test_silence_is_not_called_success(cli: Cli, channel: Emulator) -> None:
    """Without a worker and without a journal nothing is seen, and that is what is said."""
    put(channel, letter(1))
    result = cli.run("dlq", "redrive", "--wait", "1s")
    assert result.status == 0
    assert "nothing seen of it within 1 s" in " ".join(result.out.split())
    assert cli.run("dlq", "redrive", "--wait", "2h").status == 2
