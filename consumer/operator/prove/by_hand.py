"""The command that puts the canary back after `check --prove` could not: whole, to be typed as it is printed."""

from __future__ import annotations

from pathlib import Path

from consumer.config import Config
from consumer.operator import typed


def command(config: Config, path: Path, rule: str) -> str:
    """`repair` of the canary by that rule; `path` is the configuration's file.

    Without a journal that can be written from here it names a file in the working directory, for `repair --apply`
    changes nothing without one.
    """
    bucket, region = config.canary.bucket, config.canary.region
    words = ["repair", bucket, "--rule", rule, "--apply"]
    if region:
        words += ["--region", region]
    if not typed.writable(config.journal.path):
        words += ["--journal", f"{bucket}.journal.jsonl"]
    return typed.command(*words, config=path)
