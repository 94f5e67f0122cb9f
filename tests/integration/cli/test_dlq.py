"""`dlq`: nothing is lost, nothing is dealt with that was not meant, and what is only looked at is released."""

from __future__ import annotations

import base64
import json
import re
import signal
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mns.mns_exception import MNSServerException
from mns.queue import Message

from emulator.client import Emulator
from emulator.provisioning import account
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.queues import dead_letters, messages
from tests.patience import PATIENCE_SECONDS

DEAD = "config-events-dead"


def letter(number: int, **told: Any) -> str:
    """A dead letter as the worker writes it."""
    document = {
        "schema": "config-remediator/dead-letter/1",
        "outcome": "rejected",
        "reason": "AccessDenied",
        "detail": "no right",
        "rule": "public-read",
        "resource_id": f"bucket-{number:02}",
        "attempts": 1,
        "dead_lettered_at_ms": 1_700_000_000_000,
        "body_encoding": "plain",
        "body": f"original {number} \N{BIOHAZARD SIGN}",
        **told,
    }
    return json.dumps(document)


def put(emulator: Emulator, *bodies: str) -> None:
    """Lay messages into the dead-letter queue."""
    with account(emulator) as owner:
        queue = owner.get_queue(DEAD)
        queue.set_encoding(False)
        for body in bodies:
            queue.send_message(Message(body))


def visible_again(emulator: Emulator) -> int:
    """How many letters are visible two seconds later."""
    emulator.advance(2)
    return sum(message["state"] == "active" for message in messages(emulator, DEAD))


def originals(emulator: Emulator) -> list[str]:
    """The bodies in the worker's queue."""
    return sorted(message["body"] for message in messages(emulator, "config-events"))


@pytest.fixture
def forty(cli: Cli, channel: Emulator) -> Cli:
    """More letters than a peek can show: of two rules, one in four of another reason."""
    put(
        channel,
        *(
            letter(
                number,
                rule="public-write" if number % 2 else "public-read",
                reason="AccessDenied" if number % 4 else "not_owner",
            )
            for number in range(40)
        ),
    )
    return cli


def test_a_list_leaves_no_trace(forty: Cli, channel: Emulator) -> None:
    """Sixteen letters are shown by peek; state and dequeue counts stay, and the rest is said to be there."""
    before = channel.state()["mns"]
    result = forty.run("dlq", "list")
    assert result.status == 0
    assert result.out.count("bucket-") == 16
    assert "--all" in result.out
    assert channel.state()["mns"] == before


def test_a_list_of_all_hands_every_letter_back(forty: Cli, channel: Emulator) -> None:
    """All forty are listed once, and all are visible again a moment later."""
    listed = forty.json("dlq", "list", "--all")
    assert sorted(each["resource"] for each in listed) == [f"bucket-{number:02}" for number in range(40)]
    assert visible_again(channel) == 40


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (("--rule", "public-write"), 20),
        (("--reason", "not_owner"), 10),
        (("--rule", "public-write", "--reason", "not_owner"), 0),
        (("--outcome", "invalid"), 0),
        (("--older-than", "1h"), 40),
        (("--newer-than", "1d"), 0),
        (("--limit", "7"), 7),
    ],
)
def test_letters_are_chosen_by_what_they_say(forty: Cli, filters: tuple[str, ...], count: int) -> None:
    """Rule, reason, outcome and age narrow, and a limit ends."""
    assert len(forty.json("dlq", "list", "--all", *filters)) == count


def test_one_letter_is_shown_with_its_original_body(cli: Cli, channel: Emulator) -> None:
    """Found by the end of its id; the body is as it came."""
    put(channel, letter(1), letter(2))
    (wanted,) = [each for each in cli.json("dlq", "list") if each["resource"] == "bucket-02"]
    shown = cli.json("dlq", "show", wanted["id"][-12:])
    assert (shown["body"], shown["detail"]) == ("original 2 \N{BIOHAZARD SIGN}", "no right")


def test_a_letter_that_a_peek_does_not_reach_is_found_all_the_same(forty: Cli, channel: Emulator) -> None:
    """The last of forty is shown, and all are released."""
    last = messages(channel, DEAD)[-1]["id"]
    assert forty.json("dlq", "show", last)["id"] == last
    assert visible_again(channel) == 40


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
        {"enqueued_at_ms": 9_000_000_000_000},
        {"first_seen_ms": 1},
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


def test_a_letter_that_cannot_be_deleted_is_told(cli: Cli, channel: Emulator) -> None:
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


def test_without_a_dead_letter_queue_the_key_is_named(cli: Cli) -> None:
    """Status 2 and the key to set."""
    cli.replace('dead_letter_queue = "config-events-dead"', "")
    result = cli.run("dlq", "list")
    assert result.status == 2
    assert "queue.dead_letter_queue" in result.err


def test_a_span_that_is_none_is_refused_with_an_example(cli: Cli) -> None:
    """The option and the right form stand in the message."""
    result = cli.run("dlq", "list", "--older-than", "yesterday")
    assert result.status == 2
    assert "90s, 15m, 2h or 3d" in result.err


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


def test_how_many_there_are_is_told_before_the_first_is_touched(forty: Cli) -> None:
    """On standard error, so that a script's document stays one document."""
    result = forty.run("dlq", "redrive", "--reason", "not_owner", "--limit", "3", "--output", "json")
    assert "letters in the queue: 40, fitting: 10, meant: 3." in result.err
    assert len(result.document) == 3
    assert all(each["sent_as"] for each in result.document)


def test_what_becomes_of_redriven_letters_is_told(cli: Cli, channel: Emulator) -> None:
    """The new message's id, which the worker's log has, and the command that shows what has come back."""
    put(channel, letter(1))
    result = cli.run("dlq", "redrive")
    (sent,) = messages(channel, "config-events")
    assert sent["id"] in result.out
    assert "dlq list --newer-than" in result.out


def taken(emulator: Emulator, **event: str) -> str:
    """The body of an event that is published, taken out of the worker's queue again."""
    emulator.config.publish(**event)
    with account(emulator) as owner:
        queue = owner.get_queue("config-events")
        queue.set_encoding(False)
        message = queue.receive_message()
        queue.delete_message(message.receipt_handle)
        return str(message.message_body)


@contextmanager
def working(cli: Cli) -> Iterator[None]:
    """A real worker beside the command."""
    worker = cli.start("run")
    try:
        yield
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=PATIENCE_SECONDS)


def test_whoever_waits_is_told_what_became_of_each_message(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """Beside a worker with a journal: one was repaired, the other one is a new letter, named with its reason."""
    cli.configure(more=f'\n[journal]\npath = "{tmp_path / "journal.jsonl"}"\n')
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    bodies = [
        taken(channel, bucket="photos", rule="oss-bucket-public-read-prohibited"),
        taken(channel, bucket="theirs", rule="oss-bucket-public-read-prohibited", owner_id="9999888877776666"),
    ]
    put(channel, *(letter(number, body=body) for number, body in enumerate(bodies)))
    with working(cli):
        result = cli.run("dlq", "redrive", "--wait", "30s", "--output", "json")
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


HOSTILE = {
    "a number of 400 digits": letter(1, dead_lettered_at_ms=int("9" * 400), attempts=int("8" * 400)),
    "a number of no size": letter(1).replace("1700000000000", "1e999"),
    "no number": letter(1).replace("1700000000000", "NaN"),
    "a lone surrogate": letter(1, detail="a\ud800b", rule="\udfff"),
    "a lone surrogate in the body": letter(1, body="a\ud800b"),
    "controls": letter(1, detail="\x1b[2J\x9b31m\x7f\u202e\u2066\u200b\u2028\r\n\x00", rule="\x07\u202dx"),
    "controls in the body": letter(1, body="\x1b]0;x\x07\x9b\x7f\u202e\ufeff\u2029"),
    "fields of other types": letter(1, rule=["x"], outcome={"a": 1}, reason=7, detail=None, resource_id=True),
    "fields of its own": letter(1, **{f"k{number}\u202e": {"a": [1]} for number in range(500)}, id="mine"),
    "depth": '{"schema":"config-remediator/dead-letter/1","x":' + "[" * 3_000 + "]" * 3_000 + "}",
    "a compressed body that is none": letter(1, body_encoding="zlib+base85", body="\u202e"),
    "an encoding": letter(1, body_encoding=["plain"]),
    "no object": '"\\ud800"',
    "a number by itself": "9" * 5_000,
}
COMMANDS = (
    ("list",),
    ("list", "--all", "--older-than", "1h"),
    ("redrive", "--dry-run"),
    ("drop", "--dry-run"),
    ("redrive", "--foreign"),
    ("drop", "--yes"),
)


@pytest.mark.parametrize("form", ["table", "json"])
def test_no_letter_stops_a_command_or_controls_a_terminal(cli: Cli, channel: Emulator, form: str) -> None:
    """No traceback, one JSON document, and nothing in any output that a terminal would obey."""
    put(channel, *HOSTILE.values(), letter(2))
    names = [message["id"] for message in messages(channel, DEAD)]
    for command in (*(("show", name) for name in names), *COMMANDS):
        result = cli.run("dlq", *command, "--output", form)
        assert result.status in (0, 4), (command, result)
        shown = result.out + result.err
        assert all(line.isprintable() for line in shown.split("\n")), (command, shown)
        if form == "json":
            assert result.document is not None
        channel.advance(2)
    assert dead_letters(channel) == []


def test_a_letter_is_shown_with_the_event_in_it_and_times_for_people(cli: Cli, channel: Emulator) -> None:
    """The body is decoded as the worker decodes it; each moment is a date with how long ago it was."""
    channel.config.set_channel(non_compliance=False)
    channel.config.publish(bucket="photos", rule="oss-bucket-public-read-prohibited")
    (event,) = messages(channel, "config-events")
    put(channel, letter(1, body=event["body"]))
    wanted = cli.json("dlq", "list")[0]["id"]
    table = cli.run("dlq", "show", wanted).out
    assert re.search(r"^dead lettered at +2023-11-14 22:13:20 UTC, \d+ days ago$", table, re.MULTILINE)
    assert re.search(r"^resource id +photos$", table, re.MULTILINE)
    assert re.search(r"^evaluated at +2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d UTC, .*(ago|now|in .*)$", table, re.MULTILINE)
    shown = cli.json("dlq", "show", wanted)
    assert (shown["event"]["resource_id"], shown["event_problem"]) == ("photos", "")
    assert shown["body"] == event["body"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("!", "the body is neither JSON nor XML nor base64"),
        ('{"eventType":"Snapshot"}', "another message, Snapshot"),
        ("[" * 60_000, "the JSON is not an object"),
    ],
)
def test_a_letter_without_an_event_says_what_is_wrong_with_it(
    cli: Cli, channel: Emulator, body: str, problem: str
) -> None:
    """Instead of the event, and never with a traceback."""
    put(channel, letter(1, body=body))
    wanted = cli.json("dlq", "list")[0]["id"]
    assert f"The event in it: none, {problem}" in cli.run("dlq", "show", wanted).out
    assert cli.json("dlq", "show", wanted)["event"] is None


def test_a_letter_cannot_claim_an_event(cli: Cli, channel: Emulator) -> None:
    """What is decoded from the body wins over a field of that name."""
    put(channel, letter(1, event="forged", event_problem="forged"))
    shown = cli.json("dlq", "show", cli.json("dlq", "list")[0]["id"])
    assert shown["event"] is None
    assert shown["event_problem"] != "forged"
