"""Reads journals and writes the report in the chosen form."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit
from consumer.core.printable import printable
from consumer.operator import output, records
from consumer.operator.report.findings import Findings
from consumer.operator.report.gather import PIECE_BYTES, gathered
from consumer.operator.report.html import html
from consumer.operator.report.markdown import markdown
from consumer.operator.report.page import page
from consumer.operator.report.text import draw, text
from consumer.operator.report.whole import whole

SCHEMA = "config-remediator/report/1"


def report(
    config: Path | None, files: Sequence[Path], form: str, to: Path | None, *, since_ms: int, until_ms: int | None
) -> CommandExit:
    """Write the report about the time from `since_ms` to before `until_ms`, or up to now.

    Raises:
        ConfigurationError: there is no journal to read, the period is empty, or the file cannot be written.
    """
    now = time.time_ns() // 1_000_000
    until = now if until_ms is None else until_ms
    records.check_period(since_ms, until_ms, now)
    paths = list(dict.fromkeys(files)) or [records.journal_path(config, None)]
    _refuse_to_replace(to, [*paths, *([config] if config else [])])
    bar, advance = output.progress("reading", sum(map(_pieces, paths)))
    with bar:
        found = gathered(paths, since_ms, until, now_ms=now, progress=advance)
    if form == "text" and to is None:
        draw(output.console(), page(found))
    else:
        _write(_FORMS[form](found), to)
    return CommandExit.FOUND if found.damaged else CommandExit.DONE


def _refuse_to_replace(to: Path | None, read: Sequence[Path]) -> None:
    """A report never takes the place of what it is made from.

    Raises:
        ConfigurationError: `to` is one of these files.
    """
    if to is not None and any(_is_same(to, path) for path in read):
        raise ConfigurationError(f"{to}: is read for this report; write it to another file")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False  # one of them is not there; whoever opens it says what is wrong


def _pieces(path: Path) -> int:
    """How much there is to read; what cannot be read is reported when it is read."""
    try:
        return path.stat().st_size // PIECE_BYTES
    except OSError:
        return 0


def _json(found: Findings) -> str:
    """The document for scripts; `docs/report.md` says what each member means."""
    document: dict[str, Any] = {"schema": SCHEMA, **asdict(whole(found))}
    document["found"] = found.found
    return printable(json.dumps(document, indent=2, ensure_ascii=False), keep="\n") + "\n"


_FORMS: dict[str, Callable[[Findings], str]] = {
    "text": lambda found: text(page(found)),
    "json": _json,
    "markdown": lambda found: markdown(page(found)),
    "html": lambda found: html(page(found)),
}


def _write(text_: str, to: Path | None) -> None:
    """Write to standard output or a file, which is there whole or as it was before, and for its owner alone."""
    if to is None:
        sys.stdout.write(text_)
        return
    try:
        if to.exists() and not to.is_file():  # a pipe, or /dev/stdout
            to.write_text(text_, encoding="utf-8")
            return
        descriptor, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text_)
            Path(name).replace(to)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{to}: cannot write the report: {error.strerror}") from None
