"""`dlq list` and `dlq show`: every letter is released after a look, and none controls a terminal."""

from __future__ import annotations

import json
import re

import pytest

from emulator.client import Emulator
from tests.integration.cli.conftest import Cli
from tests.integration.cli.letters import DEAD, letter, put, visible_again
from tests.integration.queues import dead_letters, messages


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


def test_how_many_there_are_is_reported_before_the_first_is_touched(forty: Cli) -> None:
    """On standard error, so that a script's document stays one document."""
    result = forty.run("dlq", "redrive", "--reason", "not_owner", "--limit", "3", "--output", "json")
    assert "letters in the queue: 40, fitting: 10, meant: 3." in result.err
    assert len(result.document) == 3
    assert all(each["sent_as"] for each in result.document)


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


def test_a_long_body_is_cut_for_people_and_whole_in_json(cli: Cli, channel: Emulator) -> None:
    """With how long it is; another letter's body, as long as events are, is whole."""
    long = json.dumps({"eventType": "Snapshot", "filler": ["x" * 60] * 500})
    put(channel, letter(1, body=long), letter(2, body=long[:3_000]))
    found = {each["resource"]: each["id"] for each in cli.json("dlq", "list")}
    out = cli.run("dlq", "show", found["bucket-01"]).out
    assert f"({len(long):,} characters; --output json has all)" in " ".join(out.split())
    assert len(out) < 8_000
    assert cli.json("dlq", "show", found["bucket-01"])["body"] == long
    assert "--output json has all" not in cli.run("dlq", "show", found["bucket-02"]).out


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
