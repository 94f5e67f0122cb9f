"""An exemption that an undo writes: the configuration is one afterwards, or it is as it was."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from consumer.config import load
from consumer.core.errors import ConfigurationError
from consumer.operator.lasting import WantedExemption, exemption_text, write_exemption, write_pause

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"


def text(owner: str = "web", reason: str = "assets") -> str:
    """The entry for one bucket."""
    wanted = WantedExemption(owner, reason, date(2199, 1, 31))
    return exemption_text("5f3c9a10b2d4", "public-read", "1234567890123456", "photos", wanted)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration that works."""
    copied = tmp_path / "config.toml"
    copied.write_text(EXAMPLE.read_text())
    copied.chmod(0o640)
    return copied


@pytest.mark.parametrize(
    "reason", ["assets", 'Serves "public" assets', "a\\b", "r\u00e9f\u00e9rences \U0001f30d", "]] [x"]
)
def test_the_entry_says_what_was_meant(path: Path, reason: str) -> None:
    """Whatever the words: it reads back as them, and mode and the rest of the file stay."""
    before = path.read_text()
    write_exemption(path, text(reason=reason), {})
    exemption = load(path, {}).exemptions[-1]
    assert (exemption.name, exemption.reason, exemption.resources) == ("undo-5f3c9a10b2d4", reason, ("photos",))
    assert (exemption.rules, exemption.accounts, exemption.expires) == (
        ("public-read",),
        ("1234567890123456",),
        date(2199, 1, 31),
    )
    assert path.read_text().startswith(before.rstrip("\n"))
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("why", ["twice", "inline", "owner"])
def test_a_file_that_would_be_none_is_left_as_it_is(path: Path, why: str) -> None:
    """A name that is taken, a list in one line, an owner of control characters: the entry is shown instead."""
    wanted = text()
    if why == "twice":
        write_exemption(path, wanted, {})
    elif why == "inline":
        path.write_text("exemptions = []\n" + path.read_text().replace("[[exemptions]]", "[[exemptions_not]]"))
    else:
        wanted = text(owner="a\x7fb\n" * 600)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"\[\[exemptions\]\]") as raised:
        write_exemption(path, wanted, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert "/.config.toml." not in str(raised.value)


def test_a_place_that_cannot_be_written_shows_the_entry(path: Path) -> None:
    """A read-only mount."""
    if os.geteuid() == 0:
        path.unlink()  # root may write everywhere, but not into what is not there
    else:
        path.parent.chmod(0o500)
    with pytest.raises(ConfigurationError, match=r"undo-5f3c9a10b2d4"):
        write_exemption(path, text(), {})


@pytest.mark.parametrize("file", ["", "/nowhere/pause"])
def test_a_pause_that_cannot_be_written_names_the_key(file: str) -> None:
    """None configured, or a directory that is not there."""
    with pytest.raises(ConfigurationError, match=r"pause\.file"):
        write_pause(file, "why")
