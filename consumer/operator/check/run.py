"""The preflight: looks at everything the worker depends on, and says of each thing one sentence and what to do.

Harmless: it reads, and where only a change would show a permission it changes a message that does not exist, or makes
and removes an empty file of its own. What depends on something that has already failed is not looked at, so that one
fault gives one message.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from consumer.aliyun.member_role import AssumedRole
from consumer.app.build import member_roles
from consumer.config import Config
from consumer.core.errors import NotAuthenticated
from consumer.core.exit_codes import CommandExit
from consumer.operator import output
from consumer.operator.check import announce, catch_up, configuration, environment, hosts, local, mns, permissions
from consumer.operator.check.findings import CheckResult, Status, failed, ok, skipped
from consumer.operator.check.identity import CREDENTIALS, credentials_or_why
from consumer.operator.session import Session, made

_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red", Status.SKIPPED: "dim"}


def check(path: Path, form: str, *, probe_bucket: str, strict: bool) -> CommandExit:
    """Check everything and show the findings."""
    config = configuration.read(path, os.environ)
    if not isinstance(config, Config):
        return show(config, form, CommandExit.USAGE)
    found = [ok(configuration.CONFIGURATION, f"{len(config.rules)} rule{'s' if len(config.rules) > 1 else ''}")]
    found += [*configuration.look(config), *environment.look(os.environ), *local.look(config)]
    found += _of_services(path, config, probe_bucket, _failed(found))
    return show(found, form, concluded(found, strict=strict))


def concluded(found: Sequence[CheckResult], *, strict: bool) -> CommandExit:
    """How the command ends."""
    bad = {Status.FAILED, Status.WARNING} if strict else {Status.FAILED}
    return CommandExit.FOUND if any(each.status in bad for each in found) else CommandExit.DONE


def _failed(found: Sequence[CheckResult]) -> set[str]:
    return {each.check for each in found if each.status is Status.FAILED}


def _of_services(path: Path, config: Config, probe_bucket: str, broken: set[str]) -> Iterator[CheckResult]:
    reached = list(hosts.look(config))
    yield from reached
    broken = broken | _failed(reached)
    credentials = credentials_or_why(config)
    if isinstance(credentials, CheckResult):
        yield credentials
        return
    with made(path, config, credentials) as session:
        yield ok(CREDENTIALS, f"access key {session.credentials.get_credentials().access_key_id}")
        if hosts.CLOCK in broken:
            # Every signature would be refused for the same reason.
            yield skipped("permissions", "nothing can be signed with this clock")
            return
        signed = list(_signed(session, broken, probe_bucket))
        yield from signed


def _signed(session: Session, broken: set[str], probe_bucket: str) -> Iterator[CheckResult]:
    refused = False
    if hosts.MNS not in broken:
        for found in mns.look(session):
            yield found
            refused = refused or found.check == mns.AUTHENTICATION
    if refused:
        return
    if hosts.MNS not in broken:
        yield from announce.look(session)
    yield from permissions.look(session, probe_bucket, broken)
    yield from catch_up.look(session)
    yield from _members(session)


def _members(session: Session) -> Iterator[CheckResult]:
    for role in member_roles(session.config):
        try:
            AssumedRole(role, session.credentials).get_credentials()
        except NotAuthenticated as error:
            remedy = "let the role trust ours, and grant us sts:AssumeRole on it; see accounts.role_name"
            yield failed("member account", str(error.args[0]), remedy)
        else:
            yield ok("member account", f"{role.arn} can be assumed")


def show(found: Sequence[CheckResult], form: str, status: CommandExit) -> CommandExit:
    """Show the findings; returns `status`."""
    output.show(form, [each.document() for each in found], lambda console: _draw(console, found))
    return status


def _draw(console: Console, found: Sequence[CheckResult]) -> None:
    rows = [
        (
            output.cell(each.status.value, _STYLES[each.status]),
            each.check,
            (each.message, f"→ {each.remedy}") if each.remedy else each.message,
        )
        for each in found
    ]
    console.print(output.table(("", "check", "found, and what to do"), rows))
    counts = Counter(each.status for each in found)
    console.print(", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status]))
