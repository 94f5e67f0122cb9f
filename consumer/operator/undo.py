"""Puts back the state that a journaled change replaced, if nobody has changed it since; journaled itself.

The live state has to be exactly what the change left. Whoever undoes decides with the difference before their eyes,
and what was found and done is on the disk before and after the request.
"""

from __future__ import annotations

import difflib
import getpass
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from consumer.config import Config, build_rules
from consumer.core.errors import BucketGone, ConfigurationError, PermanentError, Refused
from consumer.core.exit_codes import CommandExit
from consumer.core.observers import StepName
from consumer.journal.file import JournalFile
from consumer.journal.format import Entry
from consumer.journal.writer import JournalWriter, actor
from consumer.operator import output, records
from consumer.operator.session import opened
from consumer.remediations.base import Change, Remediation
from consumer.remediations.catalogue import catalogue
from consumer.resources.oss.bucket import Bucket, BucketInfo, Resource


@dataclass(frozen=True, slots=True)
class _Undo:
    """One change, and the live bucket it was made on."""

    entry: Entry
    change: Change
    remediation: Remediation[Any]
    bucket: Bucket

    def live(self, info: BucketInfo) -> str:
        """The state now, in the notation of the journal."""
        return self.remediation.plan(self.remediation.inspect(self.bucket, info)).state


class _Declined(Exception):
    """Not undone; the text says why."""


def undo(path: Path, form: str, identity: str, *, yes: bool, dry_run: bool) -> CommandExit:
    """Undo one change.

    Raises:
        ConfigurationError: there is no journal, or no such change in it.
        ServiceError: the bucket could not be read or changed.
    """
    with opened(path) as session:
        journal = records.journal_path(path, None)
        done = records.change(journal, identity)
        work = _work(done.entry, session.config, session.bucket)
        document = _document(work, result="undone")
        try:
            if done.undone:
                raise _Declined("it was undone before")
            found = _checked(work)
            if form != "json":
                _draw(output.console(), work)
            _agreed(yes=yes, dry_run=dry_run)
            document["now"] = _carry_out(work, found, journal, session.credentials.get_credentials().access_key_id)
        except (_Declined, Refused) as declined:
            document["result"] = f"not undone: {declined}"
        except (BucketGone, PermanentError) as error:
            document["result"] = f"not undone: {error}"
    output.show(
        form, document, lambda console: console.print(output.cell(tuple(_closing(document, work).splitlines())))
    )
    return CommandExit.DONE if document["result"] == "undone" or dry_run else CommandExit.REFUSED


def _work(entry: Entry, config: Config, open_bucket: Any) -> _Undo:
    resource = Resource.checked(
        entry.text("account"), entry.text("region") or config.oss_default_region, entry.text("resource")
    )
    bucket = open_bucket(resource, time.monotonic() + config.engine.work_budget_seconds)
    change = Change(entry.text("before"), entry.text("after"))
    return _Undo(entry, change, _remediation(entry, config), bucket)


def _remediation(entry: Entry, config: Config) -> Remediation[Any]:
    """The remediation that made the change, with the options of a rule that still uses it where there is one."""
    name = entry.text("remediation")
    rules = [rule for rule in build_rules(config) if rule.remediation.name == name]
    same = [rule for rule in rules if rule.name == entry.text("rule")]
    for rule in (*same, *rules):
        return rule.remediation
    kind = catalogue().get(name)
    if kind is None:
        raise ConfigurationError(f"the remediation {name!r} is not installed any more")
    try:
        return kind(kind.Options())
    except ValueError:
        raise ConfigurationError(f"no rule uses {name} any more, and it cannot be made without options") from None


def _checked(work: _Undo) -> BucketInfo:
    """The live bucket, if it is as the change left it.

    Raises:
        _Declined: it is not.
    """
    found = work.bucket.info()
    if found.owner_id != work.entry.text("account"):
        raise _Declined("the bucket belongs to another account now")
    live = work.live(found)
    if live == work.change.before:
        raise _Declined("the bucket is as it was before the change already")
    if live != work.change.after:
        text = _difference(work.change.after, live, "as the change left it", "now")
        raise _Declined(f"somebody has changed it since\n{text}")
    return found


def _agreed(*, yes: bool, dry_run: bool) -> None:
    if dry_run:
        raise _Declined("this was a dry run")
    try:
        agreed = yes or click.confirm("Put this back?", err=True)
    except click.Abort:
        agreed = False
    if not agreed:
        raise _Declined("you said no")


def _carry_out(work: _Undo, found: BucketInfo, journal: Path, access_key_id: str) -> str:
    """Revert between two lines of the journal; returns the state that is read back."""
    writer = JournalWriter(JournalFile(journal), who=f"{getpass.getuser()}@{actor()}", access_key_id=access_key_id)
    try:
        fields = {
            **{name: work.entry.text(name) for name in ("resource", "region", "account", "rule", "remediation")},
            "undoes": work.entry.digest,
            "before": work.change.after,
        }
        writer.write([{"step": StepName.UNDO_BEFORE.value, **fields, "after": work.change.before}])
        work.remediation.revert(work.bucket, work.change)
        now = work.bucket.info()
        if now.created != found.created:
            # PutBucketAcl makes a bucket that was deleted a moment ago; an empty one is taken away again.
            work.bucket.delete()
            raise _Declined("the bucket was deleted meanwhile; the empty new one was removed")
        state = work.live(now)
        writer.write([{"step": StepName.UNDONE.value, **fields, "after": state}])
        return state
    finally:
        writer.close()


def _draw(console: Console, work: _Undo) -> None:
    entry = work.entry
    console.print(
        output.facts(
            [
                ("change", entry.short_id),
                ("bucket", entry.text("resource")),
                ("made by", f"rule {entry.text('rule')}, {entry.text('remediation')}"),
                ("can be undone", work.remediation.reversible),
            ]
        )
    )
    text = _difference(work.change.after, work.change.before, "now", "after the undo")
    for line in text.splitlines():
        style = {"+": "green", "-": "red"}.get(line[:1], "")
        console.print(output.cell(line, style))


def _closing(document: dict[str, Any], work: _Undo) -> str:
    if document["result"] != "undone":
        return str(document["result"])
    text = f"Undone and journaled; it reads back as {document['now']}."
    if document["now"] != work.change.before:
        text += f" Before the change it was {work.change.before!r}, which cannot be had again."
    return f"{text} The rule changes it again at the next event: add an exemption if it is to stay."


def _difference(before: str, after: str, name_before: str, name_after: str) -> str:
    lines = difflib.unified_diff(_lines(before), _lines(after), name_before, name_after, lineterm="")
    return "\n".join(lines)


def _lines(state: str) -> list[str]:
    """A state over several lines where it is JSON, so that a difference shows the part that differs."""
    try:
        return json.dumps(json.loads(state), indent=2, ensure_ascii=False).splitlines()
    except ValueError:
        return [state]


def _document(work: _Undo, result: str) -> dict[str, Any]:
    return {
        "change": work.entry.digest,
        "resource": work.entry.text("resource"),
        "rule": work.entry.text("rule"),
        "remediation": work.entry.text("remediation"),
        "from": work.change.after,
        "to": work.change.before,
        "now": None,
        "result": result,
    }
