"""A remediation from somebody's own package: installed beside this one, configured by name, repairing a bucket."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from consumer.aliyun.credentials import Credentials
from consumer.app.build import build_pipeline
from consumer.app.clients import ClientParts, build_clients, build_retrier
from consumer.config import build_rules, load
from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit
from consumer.core.observers import Hooks, StepName
from consumer.core.outcome import Outcome
from consumer.engine.change import ChangeMaker
from consumer.guards.chain import Guards
from consumer.journal.file import JournalFile
from consumer.journal.format import ChainHead, sealed
from consumer.journal.writer import JournalWriter
from consumer.operator.simulate.buckets import Assumed
from consumer.operator.simulate.run import simulate
from consumer.operator.undo.run import UndoOptions, undo
from consumer.remediations.catalogue import catalogue
from consumer.resources.catalogue import kinds
from tests.integration.conftest import FixedCredentials
from tests.integration.remediations.workbench import Case, Workbench, repaired_and_undone
from tests.unit.bodies import ACCOUNT, event_body
from tests.unit.fakes import Clock, delivery, received

_PACKAGE = Path(__file__).parents[2] / "example_plugin"
_MODULE = "example_remediations"
QUARANTINE = Case("example.quarantine", {"tagging": {"owner": "web"}}, options={"reason": "public"})


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example package as an installer leaves it: its module, and its metadata beside it."""
    project = tomllib.loads((_PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(_PACKAGE / _MODULE, tmp_path / _MODULE, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = tmp_path / f"{_MODULE}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for known in (catalogue, kinds):
        known.cache_clear()
    yield
    for known in (catalogue, kinds):
        known.cache_clear()
    for module in [name for name in sys.modules if name.partition(".")[0] == _MODULE]:
        del sys.modules[module]


_CONFIGURATION = """\
account_id = "1234567890123456"

[queue]
region = "cn-hangzhou"
name = "config-events"

[[rules]]
name = "quarantine"
remediation = "example.quarantine"
mode = "enforce"
rule_names = ["*"]
options = { reason = "public" }
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A configuration with a rule for the example."""
    path = tmp_path / "config.toml"
    path.write_text(_CONFIGURATION, encoding="utf-8")
    return path


@pytest.mark.usefixtures("_installed")
def test_it_repairs_and_is_undone_like_one_of_ours(bench: Workbench) -> None:
    """From the entry point through the pipeline and the SDK to the bucket, and back."""
    ending = repaired_and_undone(bench, QUARANTINE)

    assert ending.after == '{"owner":"web","quarantine":"public"}'


@pytest.mark.usefixtures("_installed")
def test_a_rule_can_name_it_and_its_options(configuration: Path) -> None:
    """The configuration knows it, and refuses options that it does not have."""
    [rule] = load(configuration, {}).rules
    assert rule.remediation == "example.quarantine"

    configuration.write_text(_CONFIGURATION.replace("reason =", "raeson ="), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="raeson"):
        load(configuration, {})


def test_without_the_package_the_name_is_unknown(configuration: Path) -> None:
    """A rule whose remediation is not installed stops the worker at start."""
    with pytest.raises(ConfigurationError, match=r"example\.quarantine"):
        load(configuration, {})


_NOTES = """\
account_id = "1698272328540001"

[queue]
region = "cn-hangzhou"
name = "config-events"

[journal]
path = "{folder}/journal.jsonl"

[[rules]]
name = "private-notes"
remediation = "desk.private-note"
mode = "enforce"
rule_names = ["*"]
"""


class _Desk:
    """A folder of notes, a configuration with a rule for them, and the worker's own way to them."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config.toml"
        self.config.write_text(_NOTES.format(folder=folder), encoding="utf-8")
        self.folder = folder / "desk"
        self.folder.mkdir()

    def write(self, name: str, readers: str, written: str) -> None:
        """Somebody writes a note, or writes it anew."""
        note = {"owner": ACCOUNT, "readers": readers, "written": written}
        (self.folder / name).write_text(json.dumps(note), encoding="utf-8")

    def readers(self, name: str) -> str:
        """Who may read it."""
        return str(json.loads((self.folder / name).read_text("utf-8"))["readers"])

    def repair(self, name: str) -> Outcome:
        """One delivery about a note, journaled as the worker does."""
        config = load(self.config, {})
        writer = JournalWriter(JournalFile(Path(config.journal.path)), who="test")
        hooks = Hooks((), (writer,))
        own = FixedCredentials(Credentials("key", "secret", ""))
        parts = ClientParts(config, own, {}, hooks, build_retrier(config, hooks, threading.Event()))
        clients = build_clients(parts, build_rules(config))
        pipeline = build_pipeline(config, build_rules(config), clients.open, Guards(), ChangeMaker(hooks))
        body = event_body(resourceType="Example::Desk::Note", resourceId=name)
        found = delivery(Clock(time.monotonic()), received(body=body))
        pipeline.triage(found)
        ending = found.ending or pipeline.repair(found)
        if ending.outcome is Outcome.FIXED:
            hooks.step(found.step(StepName.VERIFIED, before=ending.before, after=ending.after, ending=ending))
        clients.close()
        writer.close()
        return ending.outcome

    def last_change(self) -> str:
        """The id that undo takes."""
        lines = Path(load(self.config, {}).journal.path).read_text("utf-8").splitlines()
        verified = [json.loads(line) for line in lines if '"step":"verified"' in line]
        return str(verified[-1]["hash"])


@pytest.fixture
def desk(_installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Desk:
    """The desk, with the example package installed."""
    made = _Desk(tmp_path)
    monkeypatch.setenv("EXAMPLE_DESK", str(made.folder))
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "test-secret")
    return made


def test_somebodys_kind_is_repaired_journaled_and_undone(desk: _Desk) -> None:
    """Its resource type picks the kind, whose package brings client and repair; undo opens it in the same way."""
    desk.write("secret", "everyone", "on Monday")
    assert desk.repair("secret") is Outcome.FIXED
    assert desk.readers("secret") == "owner"
    assert desk.repair("missing") is Outcome.GONE

    assert undo(desk.config, "json", desk.last_change(), UndoOptions(yes=True, weaken=True)) is CommandExit.DONE
    assert desk.readers("secret") == "everyone"


def test_undo_leaves_a_resource_alone_that_took_the_place_of_the_changed_one(
    desk: _Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal has the service's own word for which one was changed, in whatever form that is."""
    desk.write("secret", "everyone", "on Monday")
    assert desk.repair("secret") is Outcome.FIXED
    desk.write("secret", "owner", "on Tuesday")

    assert undo(desk.config, "json", desk.last_change(), UndoOptions(yes=True, weaken=True)) is CommandExit.REFUSED
    assert "the note was made anew since the change, at on Tuesday" in capsys.readouterr().out
    assert desk.readers("secret") == "owner"


def test_a_kind_that_lacks_something_is_named_with_its_rule(desk: _Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a package of an extra that is not installed: the error says which rule needs it."""
    kind = kinds()["Example::Desk::Note"]

    def refuse(_context: object) -> None:
        raise ConfigurationError("the package desk is not installed", "pip install 'config-remediator[desk]'")

    monkeypatch.setattr(kind, "connect", refuse)
    with pytest.raises(ConfigurationError, match="rules private-notes: the package desk is not installed") as refused:
        desk.repair("secret")
    assert refused.value.remedy == "pip install 'config-remediator[desk]'"

    def stumble(_context: object) -> None:
        raise ModuleNotFoundError("No module named 'desk'")

    monkeypatch.setattr(kind, "connect", stumble)
    with pytest.raises(
        ConfigurationError, match=r"rules private-notes: .* ModuleNotFoundError: No module named 'desk'"
    ):
        desk.repair("secret")


def test_a_client_that_lacks_a_method_does_not_start_a_worker(desk: _Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that it would repair for hours, and fail at the end of each thread."""

    class Unfinished:
        def open(self) -> None: ...

    monkeypatch.setattr(kinds()["Example::Desk::Note"], "connect", lambda _context: Unfinished())
    with pytest.raises(ConfigurationError, match=r"rules private-notes: .* Unfinished lacks close$") as refused:
        desk.repair("secret")
    assert refused.value.remedy == "repair or uninstall the package that brings the type"


_MADE = "2026-11-28T12:00:00+00:00"
_MADE_MS = int(datetime.fromisoformat(_MADE).timestamp() * 1000)


@pytest.mark.parametrize(
    ("recorded", "at_ms", "result"),
    [
        # which note it was is on record: the clock of the worker that wrote the line does not matter
        ({"resource_type": "Example::Desk::Note", "incarnation": _MADE}, _MADE_MS - 3_600_000, CommandExit.DONE),
        ({"resource_type": "Example::Desk::Note", "incarnation": "before"}, _MADE_MS + 1, CommandExit.REFUSED),
        # a line of an earlier release: a note that is older than the line is the one
        ({}, _MADE_MS + 1, CommandExit.DONE),
        ({}, _MADE_MS - 1, CommandExit.REFUSED),
    ],
)
def test_undo_knows_which_resource_a_line_is_about(
    desk: _Desk, recorded: dict[str, str], at_ms: int, result: CommandExit
) -> None:
    """By the service's own text where the line has it, else by the time at which the line was written."""
    desk.write("secret", "owner", _MADE)
    line = {"at_ms": at_ms, "step": "verified", "rule": "private-notes", "remediation": "desk.private-note", **recorded}
    line |= {"resource": "secret", "region": "cn-hangzhou", "account": ACCOUNT}
    written, head = sealed(ChainHead(), {**line, "outcome": "fixed", "before": "everyone", "after": "owner"})
    (desk.config.parent / "journal.jsonl").write_bytes(written)

    assert undo(desk.config, "json", head.digest, UndoOptions(yes=True, weaken=True)) is result
    assert desk.readers("secret") == ("everyone" if result is CommandExit.DONE else "owner")


def test_undo_does_not_take_one_kind_for_another(desk: _Desk) -> None:
    """A repair that was given to another kind since must not put its state on a resource of the same name."""
    desk.write("secret", "owner", _MADE)
    line = {"at_ms": 1, "step": "verified", "rule": "private-notes", "remediation": "desk.private-note"}
    line |= {"resource_type": "ACS::OSS::Bucket", "resource": "secret", "region": "cn-hangzhou", "account": ACCOUNT}
    written, head = sealed(ChainHead(), {**line, "outcome": "fixed", "before": "everyone", "after": "owner"})
    (desk.config.parent / "journal.jsonl").write_bytes(written)

    with pytest.raises(ConfigurationError, match="changed a ACS::OSS::Bucket"):
        undo(desk.config, "json", head.digest, UndoOptions(yes=True, weaken=True))
    assert desk.readers("secret") == "owner"


@pytest.mark.usefixtures("_installed")
def test_simulate_does_not_pretend_to_know_somebodys_kind(desk: _Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Only a live note would tell; nothing about it is made up, and the client is never made."""
    bodies = desk.config.with_name("bodies.jsonl")
    bodies.write_text(event_body(resourceType="Example::Desk::Note", resourceId="secret") + "\n", encoding="utf-8")
    simulate(desk.config, [bodies], "json", assume=Assumed.BROKEN, state=None, against=None)

    [message] = json.loads(capsys.readouterr().out)["messages"]
    assert (message["outcome"], message["reason"], message["rule"]) == (None, "not_simulated", "private-notes")
