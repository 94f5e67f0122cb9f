"""docs/install.md from nothing: the example configuration with what the page says, to a canary that was repaired."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.deploy.needed import ROOT, program
from tests.integration.cli.conftest import Cli
from tests.integration.cli.proving import proofs, prove
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

_CANARY = "config-remediator-canary"


def _section(title: str) -> str:
    """What the page says below a heading."""
    page = (ROOT / "docs/install.md").read_text("utf-8")
    (section,) = re.findall(rf"^## {title}\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    return str(section)


def _blocks(kind: str, section: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def _settings() -> tuple[dict[str, str], str]:
    """What the page's proof has for each table, and its rule."""
    (block,) = _blocks("toml", _section("Proof that it works"))
    found = re.fullmatch(r"((?:\[\w+\]\n.*\n\n)+)(\[\[rules\]\]\n(?:.+\n)+)", block)
    assert found, block
    return dict(re.findall(r"\[(\w+)\]\n(.*\n)", found[1])), found[2]


def _in_table(text: str, table: str, values: str) -> str:
    """The example with a key of that table set, whose place it has as a comment."""
    key = values.partition(" = ")[0]
    changed, times = re.subn(rf"(?ms)^(\[{table}\]\n(?:(?!^\[).)*?)^# {key} = .*?\n", rf"\1{values}", text)
    assert times == 1, (table, key)
    return changed


def _written(cli: Cli, emulator: Emulator) -> None:
    """As the page says, and the addresses of this machine."""
    known = emulator.endpoints
    tables, rule = _settings()
    text = cli.run("config", "example").out
    for table, values in tables.items():
        text = _in_table(text, table, values)
    text = text.replace("[[rules]]\n", f"{rule}\n[[rules]]\n", 1)
    text = re.sub(r'(?m)^account_id = ".*"', f'account_id = "{known.account_id}"', text, count=1)
    text = _in_table(text, "queue", f'endpoint = "{known.mns}"\n')
    text = _in_table(text, "oss", f'endpoints = {{"*" = "{known.oss}"}}\n')
    cli.path.write_text(text, encoding="utf-8")


def test_the_page_leads_from_nothing_to_a_repaired_canary(
    cli: Cli, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`provision --apply`, a worker, `check --prove`: repaired by a worker that is named, with the time of each leg."""
    monkeypatch.chdir(tmp_path)  # the page's journal lies where the commands are started
    # The page's port may be somebody's on this machine; the journal says who repaired it whenever the worker listens.
    cli.environment |= {"REMEDIATOR__HTTP__PORT": "0", "PYTHONPATH": str(ROOT)}
    emulator.reset("mns")
    _written(cli, emulator)
    emulator.create_buckets(
        [_CANARY], acl="private", encryption={"algorithm": "AES256"}, tagging={"config-remediator": "canary"}
    )
    made = cli.run("provision", "--apply")
    assert (made.status, "Done. Let Cloud Config deliver" in made.out) == (0, True), made
    with cli.working(REMEDIATOR__QUEUE__WAIT_SECONDS="1"):
        result = prove(cli)
    found = {each["rule"]: each for each in proofs(result)}
    ended = {name: each["result"] for name, each in found.items()}
    assert (ended["canary"], found["canary"]["seen_in"]) == ("repaired", "journal"), result.out
    assert f"repaired by {found['canary']['by']}" in found["canary"]["message"]
    assert None not in found["canary"]["seconds"].values(), result.out
    assert set(ended.values()) <= {"repaired", "not_begun"}, result.out
    assert result.status == 0, result.out


def _typed(script: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Type this in a shell, and leave nothing of it running: its exit status, and all that was printed."""
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            out, _ = shell.communicate(timeout=PATIENCE_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    return shell.returncode, out


def test_the_page_leads_to_a_repaired_canary_without_an_account(cli: Cli, tmp_path: Path) -> None:
    """Word for word after the installation, which tests/deploy/test_wheel.py is about; only the ports are others."""
    program("curl", "apt-get install curl")
    folder = tmp_path / "empty"
    (folder / "try/bin").mkdir(parents=True)
    installed = folder / "try/bin/config-remediator"
    installed.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m consumer "$@"\n', encoding="utf-8")
    installed.chmod(0o755)
    section = _section("Try everything without an account")
    for port in ("8001", "8002", "8003"):
        section = section.replace(port, str(free_port()))
    (configuration,), (install, prove_it) = _blocks("toml", section), _blocks("sh", section)
    (folder / "config.toml").write_text(configuration, encoding="utf-8")
    begin = install.index("export PATH=")
    assert [line.split(" ")[0] for line in install[:begin].splitlines()] == ["python3", "try/bin/pip"]
    assert "`kill $(jobs -p)` ends" in section
    own = {"PYTHONPATH": str(ROOT), "REMEDIATOR__HTTP__PORT": "0", "COLUMNS": "200"}
    own["REMEDIATOR__CANARY__WAIT_SECONDS"] = str(int(PATIENCE_SECONDS))
    script = f"set -e\n{install[begin:]}{prove_it}kill $(jobs -p)\nwait\n"
    status, out = _typed(script, folder, {**cli.environment, "PATH": os.environ["PATH"], **own})
    assert status == 0, out
    assert "Done. Let Cloud Config deliver" in out
    assert "canary: repaired by " in out, out
    assert "The canary is as it was found" in out
