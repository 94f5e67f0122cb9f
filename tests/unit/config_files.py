"""Configuration files for tests: the smallest one that loads, and how to load a changed one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from consumer.config import Config, load
from consumer.core.errors import ConfigurationError

QUEUE = """
account_id = "1234567890123456"
[queue]
region = "cn-hangzhou"
name = "events"
"""

RULE = """
[[rules]]
name = "public-read"
remediation = "oss.bucket-acl"
mode = "observe"
source_identifiers = ["oss-bucket-public-read-prohibited"]
"""

SMALLEST = QUEUE + RULE


def loaded(path: Path, text: str, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration with that text."""
    file = path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ or {})


def problems(path: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """The lines that the refusal of that text has after its headline."""
    with pytest.raises(ConfigurationError) as refused:
        loaded(path, text, environ)
    headline, *lines = str(refused.value).splitlines()
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    assert headline == f"{path / 'config.toml'}: {count} in the configuration"
    return [line.removeprefix("  ") for line in lines]
