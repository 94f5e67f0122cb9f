#!/usr/bin/env python3
"""Imports every module of an installed worker and lets every command explain itself; what fails is said and ends it."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

import consumer
from consumer.cli.main import cli


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _commands(below, (*path, name))


def main() -> None:
    """One line for each command that works."""
    program = str(Path(sys.executable).with_name("config-remediator"))
    for module in pkgutil.walk_packages(consumer.__path__, "consumer."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for path in _commands(cli):
        done = subprocess.run([program, *path, "--help"], capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode != 0 or "Usage:" not in done.stdout:
            sys.exit(f"{' '.join(path)} --help: status {done.returncode}: {done.stderr}")
        sys.stdout.write(" ".join(("config-remediator", *path, "--help\n")))


if __name__ == "__main__":
    main()
