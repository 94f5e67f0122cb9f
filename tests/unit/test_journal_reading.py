"""Whether a file is a journal at all, which every command that reads one asks in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumer.journal.format import ChainHead, sealed
from consumer.journal.reading import NO_JOURNAL, opened
from tests.foreign_files import FOREIGN, NO_LINE_YET

WHOLE = sealed(ChainHead(), {"step": "opened", "at_ms": 1})[0]


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """Not one line in it is one that a worker wrote."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(OSError, match=NO_JOURNAL):
        opened(path)


@pytest.mark.parametrize(
    "content",
    [
        *NO_LINE_YET.values(),
        WHOLE,
        WHOLE.removesuffix(b"\n"),
        b"torn\n" + WHOLE,
        b"\0" * (5 << 20) + b"\n" + WHOLE + b"\xff" * 100_000,
        WHOLE + b'{"v":2,"seq":2,',
    ],
    ids=[*NO_LINE_YET, "whole", "no line end", "begin damaged", "whole in the middle", "end torn"],
)
def test_a_damaged_journal_is_still_one(content: bytes, tmp_path: Path) -> None:
    """What is damaged in it is for its reader to say; it is read from its beginning."""
    path = tmp_path / "journal"
    path.write_bytes(content)
    with opened(path) as file:
        assert file.read() == content
