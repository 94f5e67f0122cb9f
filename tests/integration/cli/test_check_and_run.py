"""`check` makes every test that a start makes: over the same broken set-ups both fail, and both name the same thing."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from consumer.journal.format import ChainHead, sealed
from emulator.client import Emulator
from tests.emulation import eventually
from tests.identity_tokens import PROVIDER
from tests.integration.cli.conftest import Cli
from tests.integration.cli.journaling import locked_away
from tests.measured import python_module
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

GROUPS = """
[[rules]]
name = "open-ports"
remediation = "ecs.revoke-public-ingress"
mode = "observe"
source_identifiers = ["sg-risky-ports-check"]
"""

_ANOTHER = "let journal.path name another file"


@dataclass(frozen=True, slots=True)
class Broken:
    """One set-up with which a worker cannot start, and what both have to name."""

    name: str
    spoil: Callable[[Cli, Path], object]
    names: str
    """In the line of `run` and in the finding of `check`."""
    remedy: str
    """Words of `check`'s remedy: what is to be mended."""
    status: int
    """How `run` exits."""


def _more(text: str) -> Callable[[Cli, Path], object]:
    return lambda cli, folder: cli.configure(more=text.format(folder=folder))


def _file(name: str) -> Callable[[Cli, Path], object]:
    def spoil(cli: Cli, folder: Path) -> None:
        (folder / name).write_text("", encoding="utf-8")
        cli.configure(more=f'\n[journal]\npath = "{folder / name}/journal.jsonl"\n')

    return spoil


def _journal(make: Callable[[Path], object]) -> Callable[[Cli, Path], object]:
    """Something else stands where the journal is to be."""

    def spoil(cli: Cli, folder: Path) -> None:
        make(folder / "journal.jsonl")
        cli.configure(more=f'\n[journal]\npath = "{folder}/journal.jsonl"\n')

    return spoil


def _variable(name: str, text: str) -> Callable[[Cli, Path], object]:
    return lambda cli, _: cli.environment.update({name: text})


def _without(name: str) -> Callable[[Cli, Path], object]:
    return lambda cli, _: cli.environment.pop(name)


def _replaced(old: str, new: str) -> Callable[[Cli, Path], object]:
    return lambda cli, _: cli.replace(old, new)


def _installed(folder: Path) -> Path:
    """Where packages lie that are made for a test; not in what is compared: Python may write its bytecode there."""
    return folder.with_name("installed")


def _no_extra(cli: Cli, folder: Path) -> None:
    """As if the optional package were not installed: one of its name that cannot be imported comes first."""
    package = _installed(folder) / "alibabacloud_config20200907"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError(name='alibabacloud_config20200907')\n", encoding="utf-8")
    cli.environment["PYTHONPATH"] = f"{package.parent}:{cli.environment.get('PYTHONPATH', '')}"
    cli.configure(more="\n[reevaluate]\nenabled = true\n")


def _no_redis(cli: Cli, folder: Path) -> None:
    """The same of the package for the store that replicas share."""
    package = _installed(folder) / "redis"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError(name='redis')\n", encoding="utf-8")
    cli.environment["PYTHONPATH"] = f"{package.parent}:{cli.environment.get('PYTHONPATH', '')}"
    cli.configure(more='\n[shared]\nurl = "redis://127.0.0.1:9"\n')


def _no_ecs(cli: Cli, folder: Path, rules: str = GROUPS) -> None:
    """The same of the package for security groups."""
    package = _installed(folder) / "alibabacloud_tea_openapi"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError(name='alibabacloud_tea_openapi')\n", encoding="utf-8")
    cli.environment["PYTHONPATH"] = f"{package.parent}:{cli.environment.get('PYTHONPATH', '')}"
    cli.configure(rules=rules)


def _no_ecs_for_some(cli: Cli, folder: Path) -> None:
    """And the rule is about groups of its own, so that a check has none to look at."""
    _no_ecs(cli, folder, f'{GROUPS}resources = ["sg-0123456789abcdefghij"]\n')


def _plug_in(cli: Cli, folder: Path) -> None:
    """An installed package whose repair cannot be loaded."""
    metadata = _installed(folder) / "broken-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-repairs\nVersion: 1.0\n", encoding="utf-8")
    entry = "[config_remediator.remediations]\nbroken = no_such_module:Repair\n"
    (metadata / "entry_points.txt").write_text(entry, encoding="utf-8")
    cli.environment["PYTHONPATH"] = f"{metadata.parent}:{cli.environment.get('PYTHONPATH', '')}"


def _no_token(cli: Cli, folder: Path) -> None:
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        del cli.environment[name]
    cli.environment["ALIBABA_CLOUD_ROLE_ARN"] = "acs:ram::1234567890123456:role/worker"
    cli.environment["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"] = PROVIDER
    cli.environment["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = str(folder / "no-token")


BROKEN = (
    Broken("no file", lambda cli, _: cli.path.unlink(), "config.toml", "--config or REMEDIATOR_CONFIG", 2),
    Broken("not TOML", _replaced("account_id =", "account_id ="[:5]), "line 1", "line 1 of", 2),
    Broken("key", _replaced("slots = 16", "slots = 1"), "engine.slots", "config.toml", 2),
    Broken(
        "variable",
        _variable("REMEDIATOR__ENGINE__SLOTS", "1"),
        "engine.slots",
        "the environment variable REMEDIATOR__ENGINE__SLOTS",
        2,
    ),
    Broken(
        "unknown variable",
        _variable("REMEDIATOR__ENGINE__SLOT", "1"),
        "REMEDIATOR__ENGINE__SLOT",
        "the environment variable REMEDIATOR__ENGINE__SLOT",
        2,
    ),
    Broken("plug-in", _plug_in, "broken-repairs", "broken-repairs", 2),
    Broken(
        "journal in no directory",
        _more('\n[journal]\npath = "{folder}/no/journal"\n'),
        "journal.path",
        "make its directory",
        2,
    ),
    Broken("journal is a directory", _more('\n[journal]\npath = "{folder}"\n'), "Is a directory", _ANOTHER, 2),
    Broken("journal below a file", _file("file"), "Not a directory", _ANOTHER, 2),
    Broken("journal is a link", _journal(lambda path: path.symlink_to("elsewhere")), "it is a link", _ANOTHER, 2),
    Broken("journal is a pipe", _journal(os.mkfifo), "it is no regular file", _ANOTHER, 2),
    Broken("journal is a letter", _journal(lambda path: path.write_text("Dear")), "it is no journal", _ANOTHER, 2),
    Broken("shared extra", _no_redis, "shared.url", "shared.url", 2),
    Broken("extra", _no_extra, "alibabacloud_config20200907", "reevaluate.enabled", 2),
    Broken("ecs extra", _no_ecs, "alibabacloud_tea_openapi is missing", "[ecs]", 2),
    Broken("ecs extra, some groups", _no_ecs_for_some, "alibabacloud_tea_openapi is missing", "[ecs]", 2),
    Broken("host", _replaced("port = 0", 'port = 0\nhost = "203.0.113.7"'), "203.0.113.7", "http.host", 2),
    Broken(
        "no key", _without("ALIBABA_CLOUD_ACCESS_KEY_ID"), "ALIBABA_CLOUD_ACCESS_KEY_ID not set", "ACCESS_KEY_ID", 2
    ),
    Broken("no token", _no_token, "no-token cannot be read: No such file", "ALIBABA_CLOUD_OIDC_TOKEN_FILE", 2),
    Broken(
        "wrong key", _variable("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong"), "SignatureDoesNotMatch", "access key", 3
    ),
    Broken("queue", _replaced('name = "config-events"', 'name = "other"'), "'other'", "queue.name", 3),
    Broken(
        "dead-letter queue",
        _replaced('queue = "config-events-dead"', 'queue = "dead"'),
        "'dead'",
        "queue.dead_letter_queue",
        3,
    ),
)


def test_too_few_descriptors(cli: Cli) -> None:
    """Both are started by a shell that allows forty open files."""
    found = {}
    for command in ("check -o json", "run"):
        process = subprocess.run(
            ["bash", "-c", f'ulimit -n 40; exec "$@" {command}', "-", *python_module("consumer")],
            env={**cli.environment, "REMEDIATOR_CONFIG": str(cli.path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        found[command] = (process.returncode, process.stdout + process.stderr)
    assert found["run"][0] == 2
    assert found["check -o json"][0] == 1
    assert all("ulimit -n" in text and "engine.workers" in text for _, text in found.values()), found


def test_what_is_missing_here_is_found_whatever_a_service_says(cli: Cli, tmp_path: Path) -> None:
    """A package that a rule needs, with credentials that are refused: one look names both."""
    _no_ecs(cli, tmp_path)
    found = cli.run("check", "-o", "json", ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong").document
    failures = {each["check"]: each["message"] for each in found if each["status"] == "failed"}
    assert set(failures) == {"ecs", "authentication"}
    assert "alibabacloud_tea_openapi is missing" in failures["ecs"]


def _in_a_shell(cli: Cli, limit: str, command: str) -> subprocess.CompletedProcess[str]:
    """One command below a limit of the shell; not measured, for the limit would hold for what measures, too."""
    return subprocess.run(
        ["bash", "-c", f'ulimit {limit}; exec "$@"', "-", sys.executable, "-m", "consumer", *command.split()],
        env={**cli.environment, "REMEDIATOR_CONFIG": str(cli.path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def test_a_journal_without_room(cli: Cli, journal: Path) -> None:
    """Its file can be opened and made, and no line fits: a full volume as a limit on the size of files plays it."""
    checked = _in_a_shell(cli, "-f 0", "check -o json")
    assert not journal.exists()
    (found,) = [each for each in json.loads(checked.stdout) if each["check"] == "journal"]
    assert (checked.returncode, found["status"]) == (1, "failed")
    assert "journal.path" in found["message"]
    assert "File too large" in found["message"]
    assert "make room" in found["remedy"]
    started = _in_a_shell(cli, "-f 0", "run")
    assert started.returncode == 2
    assert "journal.path: the journal cannot be written: File too large" in started.stderr


def test_a_journal_that_somebody_keeps(cli: Cli, journal: Path) -> None:
    """Its lock is never let go, so no line can be written; the check says so and leaves the file as it is."""
    with locked_away(journal):
        checked, started = cli.run("check", "-o", "json"), cli.run("run")
    (found,) = [each for each in checked.document if each["check"] == "journal"]
    assert (checked.status, found["status"], started.status) == (1, "failed", 2)
    for text in (found["message"], started.err):
        assert "another process keeps the journal's lock" in text
    assert journal.read_bytes() == b""


def test_a_journal_of_a_newer_version(cli: Cli, journal: Path) -> None:
    """After a way back over a change of its form: neither is its end taken for torn, nor anything written after it."""
    line, _ = sealed(ChainHead(), {"at_ms": 1, "who": "new:1", "step": "opened"})
    newer = line.replace(b'{"v":2,', b'{"v":3,')
    journal.write_bytes(line + newer)
    (found,) = [each for each in cli.run("check", "-o", "json").document if each["check"] == "journal"]
    started = cli.run("run")
    assert (found["status"], started.status) == ("failed", 2)
    assert found["remedy"] == "do the one or the other; the key is journal.path"
    for text in (found["message"], started.err):
        assert "a newer version has written to it: move it away" in text
    assert journal.read_bytes() == line + newer
    journal.rename(journal.with_name("newer.jsonl"))
    assert [each["status"] for each in cli.run("check", "-o", "json").document if each["check"] == "journal"] == ["ok"]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_both_fail_and_name_the_same(broken: Broken, cli: Cli, tmp_path: Path) -> None:
    """The worker ends with its status and one line; the check has a failure with the remedy."""
    folder = tmp_path / "stage"
    folder.mkdir()
    broken.spoil(cli, folder)
    before = sorted(folder.rglob("*"))
    checked = cli.run("check", "-o", "json")
    failures = [each for each in checked.document if each["status"] == "failed"]
    assert checked.status == (2 if any(each["check"] == "configuration" for each in failures) else 1)
    named = [each for each in failures if broken.names in each["message"]]
    assert named, checked.document
    assert broken.remedy in named[0]["remedy"], named
    started = cli.run("run")
    assert started.status == broken.status, started
    assert broken.names in started.err
    assert started.err.startswith("config-remediator run: ")
    assert sorted(folder.rglob("*")) == before, "neither leaves anything behind"


def test_a_port_that_is_taken(cli: Cli) -> None:
    """By somebody else; a worker that answers there is no fault: the check may be run beside it."""

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with serving(Other) as port:
        cli.replace("port = 0", f"port = {port}")
        (found,) = ports(cli)
        assert (found["status"], f"http.port = {port}" in found["message"]) == ("failed", True)
        assert cli.run("run").status == 2
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        cli.replace(f"port = {port}", f"port = {silent.getsockname()[1]}")
        assert ports(cli)[0]["status"] == "failed"


def test_a_worker_on_the_port_is_no_fault(cli: Cli) -> None:
    """The check may run beside it, in its pod for example; that a second one cannot start there is in the line."""
    port = free_port()
    cli.replace("port = 0", f"port = {port}")
    worker = cli.start("run")
    try:
        eventually(lambda: "a worker answers there already" in ports(cli)[0]["message"])
        (found,) = ports(cli)
        assert (found["status"], found["message"].partition("already: ")[2]) == (
            "ok",
            "fine if it is this configuration's own; a second one cannot start here",
        )
        assert cli.run("run").status == 2
    finally:
        worker.terminate()
        worker.communicate(timeout=PATIENCE_SECONDS)


def ports(cli: Cli) -> list[dict[str, str]]:
    """What the check finds of the port."""
    return [each for each in cli.run("check", "-o", "json").document if each["check"] == "http port"]


@contextlib.contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    """Somebody else's server, and its port."""
    import threading

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(PATIENCE_SECONDS)


EXEMPTION = """
[[exemptions]]
name = "static"
owner = "web"
reason = "public on purpose"
expires = {expires}
resources = ["{resource}"]
"""


@pytest.mark.parametrize(
    ("exemption", "rules", "said"),
    [
        (EXEMPTION.format(expires="2020-01-31", resource="static-*"), "", "ended on 2020-01-31"),
        (EXEMPTION.format(expires="2099-01-31", resource="static-[ab"), "", "static-[ab"),
        ("", 'rule_names = ["public-[read"]', "public-[read"),
        ("", 'source_identifiers = ["oss-bucket-public-read-prohibited"]', "names source_identifiers alone"),
        (
            "",
            'config_rule_ids = ["cr-read"]\nresources = ["photos", "Logs_*"]',
            "'Logs_*' can match nothing: no bucket",
        ),
        ("", 'config_rule_ids = ["cr-read"]\nresources = ["ph?to[!a-z0-9-]"]', "'ph?to[!a-z0-9-]' can match nothing"),
        (EXEMPTION.format(expires="2099-01-31", resource="static.site"), "", "'static.site' can match nothing"),
    ],
)
def test_what_a_start_takes_and_nobody_means_is_a_warning(
    exemption: str, rules: str, said: str, cli: Cli, channel: Emulator
) -> None:
    """An exemption that ended, a bracket that stays open, a pattern that matches nothing: --strict fails for them."""
    cli.configure(more=exemption)
    if rules:
        cli.replace('config_rule_ids = ["cr-read"]', rules)
    found = cli.run("check", "-o", "json")
    warnings = [each for each in found.document if each["status"] == "warning" and said in each["message"]]
    assert (found.status, len(warnings)) == (0, 1), found.document
    assert warnings[0]["remedy"]
    assert cli.run("check", "--strict").status == 1
    channel.create_buckets(["photos"], acl="public-read")
    worker = cli.start("run")
    try:
        eventually(lambda: bool(channel.journal(operation="BatchReceiveMessage")) or worker.poll() is not None)
        assert worker.poll() is None
    finally:
        worker.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.communicate(timeout=PATIENCE_SECONDS)
    assert worker.returncode == 0
