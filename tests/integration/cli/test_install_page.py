"""docs/install.md from nothing: the example configuration with what the page says, to a canary that was repaired."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.deploy.needed import ROOT
from tests.integration.cli.conftest import Cli
from tests.integration.cli.proving import proofs, prove

_CANARY = "config-remediator-canary"


def _settings() -> tuple[dict[str, str], str]:
    """What the page's proof has for each table, and its rule."""
    page = (ROOT / "docs/install.md").read_text("utf-8")
    (section,) = re.findall(r"^## Proof that it works\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    (block,) = re.findall(r"^```toml\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
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
