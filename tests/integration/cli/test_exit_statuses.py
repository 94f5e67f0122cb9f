"""What the exit status of each command means: code, help and the table of docs/commands.md say the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from consumer.cli.main import cli as root
from consumer.core.exit_codes import CommandExit
from emulator.client import Emulator
from tests.integration.cli.conftest import Cli
from tests.integration.cli.documented import leaves, members
from tests.integration.cli.journaling import READ
from tests.integration.cli.letters import letter, put

NO_PORT = "http://127.0.0.1:9"
HELP = {words: command.help or "" for words, command in leaves(root) if words != ("run",)}


def promised(words: tuple[str, ...]) -> list[int]:
    """The statuses that the help of a command names."""
    found = re.search(r"Exit status:(.*?)(?:\n\n|\Z)", HELP[words], re.DOTALL)
    assert found, words
    return [int(status) for status in re.findall(r"(?:^|, |,\s+)(\d)\b", " ".join(found[1].split()))]


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_the_help_names_statuses_of_the_table(words: tuple[str, ...]) -> None:
    """Each once, the least first; 5 and signals are every command's, and stand in the table alone."""
    found = promised(words)
    assert found[0] == 0
    assert found == sorted(set(found))
    assert set(found) <= set(CommandExit) - {CommandExit.UNWRITTEN}


LOOKS = {"--dry-run": ("dry run",), "--apply": ("--apply", "listed")}
"""What the status of a run that only shows is called in the help, by the option."""


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_the_help_says_what_a_look_exits_with(words: tuple[str, ...]) -> None:
    """Of each command that can show first what it would do."""
    (command,) = (command for path, command in leaves(root) if path == words)
    text = HELP[words].partition("Exit status:")[2]
    for option, names in LOOKS.items():
        if any(option in each.opts for each in command.params):
            assert any(name in text for name in names), text


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a command could ask for: a change to undo, a message, a dead letter, a resource."""

    cli: Cli
    emulator: Emulator
    change: str
    letter: str

    def words(self, command: str) -> list[str]:
        """A command as it is typed."""
        return command.format(change=self.change, letter=self.letter).split()

    def observed_all(self, commands: Iterable[str]) -> dict[str, int]:
        """The status of each."""
        return {command: self.observed(command) for command in commands}

    def observed(self, command: str) -> int:
        """The status of a command, which its help has to name."""
        words = self.words(command)
        result = self.cli.run(*words)
        name = tuple(words[:2]) if tuple(words[:2]) in HELP else (words[0],)
        assert result.status in promised(name), result
        return result.status


@pytest.fixture
def stage(cli: Cli, channel: Emulator, journal: Path) -> Stage:
    """One of each."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos", "site"], acl="public-read")
    evaluator = f'\n[reevaluate]\nendpoint = "{channel.control.url}"\n'
    cli.configure(more=f'\n[journal]\npath = "{journal}"\n{evaluator}')
    change = cli.run("repair", "photos", "--rule", "public-read", "--apply", "-o", "json").document["change"]
    channel.config.publish(bucket="site", rule=READ)
    put(channel, letter(1))
    (found,) = cli.json("dlq", "list")
    return Stage(cli, channel, change, found["id"])


ASKING = {
    "provision": 3,
    "check": 1,
    "peek": 3,
    "dlq list": 3,
    "dlq show {letter}": 3,
    "dlq redrive": 3,
    "dlq drop --yes": 3,
    "catch-up": 3,
    "catch-up --apply": 3,
    "catch-up --request-evaluation": 3,
    "explain site": 3,
    "repair site --rule public-read": 3,
    "repair site --rule public-read --apply": 3,
    "undo {change} --yes --weaken": 3,
}
"""Every command that asks a service, with its status where that cannot be used; `check` finds out what would fail."""
SILENT = {
    "journal verify": 0,
    "journal show": 0,
    "report": 0,
    "ram-policy": 0,
    "config show": 0,
    "explain Nobody_Knows --no-look": 2,
    "explain nobody-knows --no-look": 2,
    "explain photos --no-look": 0,
}
"""Commands that ask none."""


def test_services_out_of_reach(stage: Stage) -> None:
    """Status 3, as the table says it of every command; who needs none is as ever."""
    known = stage.emulator.endpoints
    for url in (known.mns, known.oss, stage.emulator.control.url):
        stage.cli.replace(url, NO_PORT)
    wanted = {**ASKING, **SILENT}
    assert stage.observed_all(wanted) == wanted


def test_services_that_give_no_permission(stage: Stage) -> None:
    """The same, and nothing was changed."""
    for service in ("mns", "oss", "config"):
        stage.emulator.faults.add("error", "*", service=service, status=403, code="AccessDenied")
    before = stage.emulator.acls()
    assert stage.observed_all(ASKING) == ASKING
    assert stage.emulator.acls() == before


MISSING = {
    "GetBucketInfo": ("peek", "explain photos"),
    "PutBucketAcl": ("repair site --rule public-read --apply", "undo {change} --yes --weaken"),
    "SendMessage": ("dlq redrive",),
    "*DeleteMessage": ("dlq redrive", "dlq drop --yes"),
}


def test_one_permission_that_is_missing(stage: Stage) -> None:
    """Among others that are granted."""
    for operation, commands in MISSING.items():
        service = "mns" if "Message" in operation else "oss"
        stage.emulator.faults.add("error", operation, service=service, status=403, code="AccessDenied")
        wanted = dict.fromkeys(commands, 3)
        assert stage.observed_all(wanted) == wanted, operation
        stage.emulator.faults.clear()
        stage.emulator.advance(60)  # what a command has received and could not delete is visible again


HARMLESS = {
    "peek": 0,
    "dlq list": 0,
    "dlq redrive --dry-run": 0,
    "dlq drop": 4,
    "dlq drop --dry-run": 0,
    "catch-up": 0,
    "provision": 1,
    "explain photos": 0,
    "explain nobody-knows": 0,
    "explain Nobody_Knows": 2,
    "repair site --rule public-read": 1,
    "repair photos --rule public-read": 0,
    "repair gone --rule public-read": 4,
    "repair site --rule none": 2,
    "undo {change}": 4,
    "undo {change} --dry-run": 0,
    "undo 0123456789ab": 2,
    "dlq show 0123456789ab": 2,
    "watch --once --url http://127.0.0.1:9": 3,
}
"""Commands that change nothing while every service is there."""


def test_services_as_they_should_be(stage: Stage) -> None:
    """What was looked for, and what is not done on purpose."""
    assert stage.observed_all(HARMLESS) == HARMLESS


PRINTING = (
    "check",
    "provision",
    "rules",
    "config show",
    "peek",
    "catch-up",
    "dlq list",
    "dlq show {letter}",
    "dlq redrive --dry-run",
    "dlq drop --dry-run",
    "repair site --rule public-read",
    "explain photos",
    "journal show",
    "journal verify",
    "undo {change} --dry-run",
)
"""Commands that print a document and change nothing."""


def test_every_document_is_the_one_that_is_documented(stage: Stage) -> None:
    """It parses, and has exactly the members of the page; lines and letters may have more of their own."""
    known = members()
    seen = set()
    for command in PRINTING:
        result = stage.cli.run(*stage.words(command), "-o", "json")
        document = result.document[0] if isinstance(result.document, list) else result.document
        (name,) = (each for each in known if command == each or command.startswith(f"{each} "))
        seen.add(name)
        more = set(document) - known[name]
        assert known[name] <= set(document), (command, known[name] - set(document))
        assert not more or name in ("dlq show", "journal show"), (command, more)
    # A proof needs a canary and a worker beside it: tests/integration/cli/test_prove.py has its document.
    assert seen == set(known) - {"check --prove"}


def test_a_journal_that_cannot_be_believed_is_status_one(stage: Stage, journal: Path) -> None:
    """For all who read it, and an undo is not done."""
    journal.write_bytes(journal.read_bytes().replace(b"private", b"privat3", 1))
    for command in ("journal verify", "report", "explain photos"):
        assert stage.observed(command) == 1, command
    assert stage.observed("undo {change} --yes --weaken") in (2, 4)


def test_every_status_of_the_table_is_seen() -> None:
    """Here or where the streams are tested."""
    assert {*ASKING.values(), *SILENT.values(), *HARMLESS.values(), CommandExit.UNWRITTEN} == set(CommandExit)
