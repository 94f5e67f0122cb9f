"""The commands that the documentation shows: where they stand, why some cannot be run here, and their documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from consumer.cli.main import cli as root

ROOT = Path(__file__).parents[3]
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
]

_BLOCK = re.compile(r"^```(console|sh|bash|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(
    r"^    ((?:[A-Z_]+=\S+ )*(?:make|python|pip|docker|kubectl|curl|config-remediator) .*)$", re.MULTILINE
)
_SPAN = re.compile(r"`(config-remediator [a-z][^`]*)`")
_EXAMPLE = re.compile(r"^ +((?:[A-Z_]+=\S+ )?config-remediator .*)$", re.MULTILINE)

CANNOT = {
    r"docker (build|run|load|tag|push|login|compose|stop) ?": "needs a container engine",
    r"(aliyun|ack-ram-tool) ": "needs an account of the cloud",
    r"kubectl ": "needs a cluster",
    r"ISSUER=\$\(ack-ram-tool ": "needs a cluster",
    r"sed -e .* files/ram/trust\.json": "takes the cluster's issuer",
    r"sed '[^']*' trust\.json": "takes what the one before it made",
    r"(mkdir|tar|sed -i) .*\$OVERLAY": "takes the files of a release; tests/deploy/test_install.py does it",
    r"config-remediator .*\$OVERLAY": "is part of a walk-through with an account of the cloud",
    r"(export|for rule in|do$|done$) ?": "is part of a walk-through with an account of the cloud",
    r"make ": "is what CI runs",
    r"FAULTS_\w+=.* make |python -m tests\.faults": "is a campaign of its own",
    r"python3 -m venv |/opt/config-remediator/|try/bin/|\.venv/bin/": "installs; CI does it on a fresh machine",
    r"python -m emulator( |$)": "serves until it is stopped; tests/emulator/test_cli.py starts it",
    r"config-remediator emulator ": "serves until it is stopped; test_install_page.py starts it",
    r"curl .*127\.0\.0\.1:8003": "is for that emulator",
    r"config-remediator journal show config-remediator-canary ": "is what that worker did",
    r"config-remediator watch -c config\.toml$": "runs until Ctrl-C; the look of --once is run",
    r"(\w+=\S+ )?config-remediator run ": "serves until it is stopped; the worker of this test is started so",
    r"eval \"\$\(config-remediator completion zsh|config-remediator completion fish ": "needs that shell",
    r"config-remediator ram-policy .*--account ": "needs a member account; test_ram_policy.py has one",
    r"config-remediator check .*--prove": "needs a canary that complies with every rule; test_prove.py has one",
    r"pipx ": "fetches packages; the wheel's own demo is run in tests/deploy/test_wheel.py",
    r"helm ": "needs a cluster; the chart is rendered in tests/deploy/test_helm.py",
    r"terraform ": "needs an account of the cloud; the module is planned in tests/deploy/test_terraform.py",
    r"sha256sum ": "takes the files of a release; tests/deploy/test_release.py makes and checks them",
    r"gh attestation ": "takes a release that was published",
    r"skopeo (copy|login) ": "takes an image that was published",
}
"""How a command begins that is not run, and why not."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it is printed."""

    where: str
    text: str

    @property
    def excuse(self) -> str:
        """Why it is not run; nothing if it is."""
        return next((why for begin, why in CANNOT.items() if re.match(begin, self.text)), "")


def commands() -> Iterator[Command]:
    """Every command of every block of every page, and of the examples in the commands' own help."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            line = text[: block.start()].count("\n") + 2
            for found in _typed(block[1], block[2]):
                yield Command(f"{page.relative_to(ROOT)}:{line}", found)
        for indented in _INDENTED.finditer(text):
            line = text[: indented.start()].count("\n") + 1
            yield Command(f"{page.relative_to(ROOT)}:{line}", indented[1])
    for words, command in leaves(root):
        for found in _EXAMPLE.findall(re.sub(r"\\\n +", "", command.help or "")):
            yield Command(f"{' '.join(words)} --help", found.strip())


def spans() -> Iterator[Command]:
    """Every command that stands in a sentence."""
    for page in PAGES:
        for found in _SPAN.findall(page.read_text(encoding="utf-8")):
            yield Command(str(page.relative_to(ROOT)), found)


def leaves(group: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that can be run, with its words."""
    if isinstance(group, click.Group):
        for name, each in group.commands.items():
            yield from leaves(each, *path, name)
    else:
        yield path, group


def _typed(kind: str, block: str) -> Iterator[str]:
    """What a person types: the lines after a prompt, or all of a script; with those that continue them."""
    lines = iter(block.replace("\\\n", " ").splitlines())
    for line in lines:
        if kind == "console" and not line.startswith("$ "):
            continue
        text = line.removeprefix("$ ").strip()
        if text and not text.startswith("#"):
            yield text


def members() -> dict[str, set[str]]:
    """The members of each command's JSON document, as docs/commands.md has them."""
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    section = page.partition("\n## JSON\n")[2].partition("\n## ")[0]
    found = {}
    for commands, of_each in re.findall(r"^\| (`.*?) \| (.*) \|$", section, re.MULTILINE):
        named = set(re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", of_each)))
        found |= dict.fromkeys(re.findall(r"`([a-z -]+)`", commands), named)
    for name in ("dlq show", "dlq redrive", "dlq drop"):
        found[name] |= found["dlq list"]
    return found
