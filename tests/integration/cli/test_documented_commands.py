"""What the documentation tells people to type works as typed: every command block is run, against the emulator.

Ids, addresses and names of a person's own are put in from a stage; nothing else of a command is changed. A shell runs
it that fails on a pattern without quotes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from consumer.cli.main import cli as root
from emulator.client import Emulator
from emulator.process import in_process
from emulator.provisioning import setup_channel
from tests.deploy.needed import program
from tests.emulation import eventually
from tests.integration.cli.conftest import RULES, Cli
from tests.integration.cli.documented import CANNOT, ROOT, Command, commands, spans
from tests.integration.cli.letters import letter, put
from tests.integration.conftest import DEAD_LETTERS, QUEUE, RULE_IDS
from tests.integration.queues import is_empty, messages
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

ALL = sorted({command.text: command for command in commands()}.values(), key=lambda command: command.where)
RUN = [command for command in ALL if not command.excuse]

LETTER = re.compile(r"\b(99BC7FDDAA15|3DAEE510CF72)\b")
CHANGE = re.compile(r"\b(d76989c4e711|5f3c9a10b2d4)\b|5f3c…")
"""The ids that the pages show."""
MESSAGE = re.compile(r"\bexplain C217751A9D81\b")
"""The id of a message of the journal."""

STATUS = {
    "config-remediator repair site-eu --rule public-read --apply": 4,
    "config-remediator simulate events.jsonl --against new.toml": 1,
    "config-remediator simulate events.jsonl -c config.toml --against new.toml": 1,
}
"""Commands that are shown with a difference that they find."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A folder as the pages assume it, a worker at work on it, and what stands for a person's own ids."""

    emulator: Emulator
    cli: Cli
    environment: dict[str, str]
    port: int

    @property
    def folder(self) -> Path:
        """Where commands are typed."""
        return self.cli.path.parent

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        """Type a command; a question is answered with yes, and the configuration is as before afterwards."""
        kept = self.cli.path.read_text(encoding="utf-8")
        try:
            return subprocess.run(
                ["bash", "-O", "failglob", "-c", self._with_ids(text)],
                cwd=self.folder,
                env=self.environment,
                input="y\n",
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
            )
        finally:
            self.cli.path.write_text(kept, encoding="utf-8")
            (self.folder / "pause").unlink(missing_ok=True)

    def _with_ids(self, text: str) -> str:
        text = text.replace("127.0.0.1:9108", f"127.0.0.1:{self.port}")
        if "dlq " in text:
            text = LETTER.sub(self._letter(), text)
        if MESSAGE.search(text):
            text = MESSAGE.sub(f"explain {self.cli.json('journal', 'show', 'my-bucket')[0]['message_id'][-12:]}", text)
        if CHANGE.search(text):
            text = CHANGE.sub(self._change(), text)
        return text

    def _letter(self) -> str:
        """A dead letter of each kind that a page names; the id of one."""
        put(self.emulator, letter(1), letter(2, reason="account_not_allowed"), letter(3, outcome="invalid"))
        self.emulator.advance(2)
        return messages(self.emulator, DEAD_LETTERS)[-1]["id"][-12:]

    def _change(self) -> str:
        """A bucket that the worker has repaired a moment ago, by the id of the change."""
        self.emulator.reset("clock")  # one that is ahead makes every bucket younger than its change
        name = f"bucket-{len(self.emulator.acls())}"
        self.emulator.create_buckets([name], acl="public-read")
        found: list[str] = []

        def repaired() -> bool:
            entries = self.cli.json("journal", "show", name)
            found[:] = [each["hash"][:12] for each in entries if each["undoable"]]
            return bool(found)

        eventually(repaired)
        return found[0]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Everything that the pages speak of, made by the worker itself."""
    folder = tmp_path_factory.mktemp("documented")
    with in_process() as emulator:
        setup_channel(emulator, queue=QUEUE, dead_letter_queue=DEAD_LETTERS)
        for identifier, rule_id in RULE_IDS.items():
            emulator.config.remove_rule(identifier)
            emulator.config.add_rule(identifier, rule_id=rule_id)
        port = free_port()
        cli = configured(emulator, folder, port)
        captured(emulator, folder)
        worker = cli.start("run")
        try:
            eventually(lambda: is_empty(emulator))
            yield furnished(emulator, cli, port)
        finally:
            worker.terminate()
            worker.communicate(timeout=PATIENCE_SECONDS)


def configured(emulator: Emulator, folder: Path, port: int) -> Cli:
    """The files: a configuration, another one, captured events, and the commands on the path."""
    cli = Cli(emulator, folder / "config.toml")
    evaluator = f'\n[reevaluate]\nendpoint = "{emulator.control.url}"\n'
    cli.configure(more=f'\n[journal]\npath = "{folder}/journal.jsonl"\n\n[pause]\nfile = "{folder}/pause"\n{evaluator}')
    cli.replace("port = 0", f"port = {port}")
    other = RULES.replace('mode = "enforce"', 'mode = "observe"')
    text = cli.path.read_text(encoding="utf-8").replace(RULES, other)
    (folder / "new.toml").write_text(text, encoding="utf-8")
    (folder / "journal-2026-11.jsonl").touch()
    binaries = folder / "bin"
    binaries.mkdir()
    for name, module in (("config-remediator", "-m consumer"), ("python", "")):
        script = binaries / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n', encoding="utf-8")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return cli


def captured(emulator: Emulator, folder: Path) -> None:
    """Buckets that are to be repaired, and their events in a file: captured while no worker takes them."""
    names = emulator.create_buckets(["photos", "probe", "my-bucket", "my-test-bucket", "prod-a"], acl="public-read")
    eventually(lambda: len(messages(emulator, QUEUE)) == len(names))
    bodies = [json.dumps({"body": each["body"]}) for each in messages(emulator, QUEUE)]
    (folder / "events.jsonl").write_text("\n".join(bodies), encoding="utf-8")


def furnished(emulator: Emulator, cli: Cli, port: int) -> Scene:
    """Everything provisioned as `provision` would, once the buckets are repaired."""
    folder = cli.path.parent
    cli.run("provision", "--apply")
    environment = {
        **cli.environment,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "REMEDIATOR_CONFIG": str(cli.path),
        "CONTROL": emulator.control.url,
    }
    return Scene(emulator, cli, environment, port)


@pytest.mark.parametrize("command", RUN, ids=lambda command: command.text[:60])
def test_a_command_works_as_typed(command: Command, scene: Scene) -> None:
    """Its exit status is that of what is shown, and no line is a usage error, a traceback or a pattern unquoted."""
    for tool in re.findall(r"(?:^|\| )(curl|jq) ", command.text):
        program(tool, f"apt-get install {tool}")
    result = scene.run(command.text)
    said = f"{command.where}: {command.text}\n{result.stdout}\n{result.stderr}"
    assert result.returncode == STATUS.get(command.text, 0), said
    assert "Traceback" not in said
    assert "no match" not in result.stderr, said


def test_every_excuse_is_needed() -> None:
    """A command that is gone takes its excuse along."""
    assert [begin for begin in CANNOT if not any(re.match(begin, each.text) for each in ALL)] == []


@pytest.mark.parametrize("command", sorted(set(spans()), key=str), ids=lambda command: command.text)
def test_a_command_in_a_sentence_is_one(command: Command, tmp_path: Path) -> None:
    """Its words and options exist; what stands in capitals is a person's own."""
    for name in ("FILE", "OTHER_CONFIG"):
        (tmp_path / name).write_text("", encoding="utf-8")
    words = [str(tmp_path / word) if word in ("FILE", "OTHER_CONFIG") else word for word in shlex.split(command.text)]
    found: click.Command = root
    context = click.Context(root, info_name=words.pop(0))
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        inner = found.get_command(context, words[0])
        assert inner is not None, f"{command.where}: {words[0]} is no command"
        context, found = click.Context(inner, parent=context, info_name=words[0]), inner
        words.pop(0)
    if isinstance(found, click.Group):
        assert found.invoke_without_command, f"{command.where}: {command.text} does nothing by itself"
        return
    known = {name for each in found.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, command
