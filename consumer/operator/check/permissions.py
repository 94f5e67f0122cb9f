"""Whether the services take our credentials, and whether every enabled rule may read what it has to read.

What a rule may change cannot be found out without changing it; those actions are named and not tried.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator

from consumer.config import build_rules
from consumer.core.errors import (
    NotAuthenticated,
    PermissionMissing,
    Refused,
    ResourceGone,
    ServiceError,
)
from consumer.guards.rule import Rule, kinds_of
from consumer.operator.check.findings import CheckResult, failed, ok, service_of, skipped
from consumer.operator.permissions import Purpose, reads, resource_actions
from consumer.operator.session import Session
from consumer.resources.base import Identity, Resource, ResourceKind, Target
from consumer.resources.oss.kind import BUCKETS


def look(session: Session, probe_bucket: str, broken: Collection[str]) -> Iterator[CheckResult]:
    """Look at one resource of each kind that the rules are about: the probe bucket, or one that does not exist.

    `broken` are the checks that have failed; a service that is among them, itself or its endpoint, is not looked at.
    """
    rules = build_rules(session.config)
    reached = [
        kind for kind in kinds_of(rules) if not {service_of(kind), f"{service_of(kind)} endpoint"}.intersection(broken)
    ]
    for kind in reached:
        if not probe_bucket and all(rule.selector.resources for rule in rules if rule.remediation.kind is kind):
            # The worker's policy is about these alone, and would not let it look at one that nobody has.
            remedy = f"name one with --probe-{kind.noun}" if kind is BUCKETS else "they show with the first event"
            yield skipped(service_of(kind), f"the rules are about some {kind.noun}s only, by rules.resources", remedy)
            continue
        yield from _of_kind(session, kind, rules, probe_bucket if kind is BUCKETS else "")
    if reached:
        yield _not_tried(session, rules)


def _of_kind(session: Session, kind: ResourceKind, rules: tuple[Rule, ...], probe: str) -> Iterator[CheckResult]:
    config = session.config
    try:
        resource = kind.resource(config.account_id, config.oss_default_region, probe or kind.absent())
        until = time.monotonic() + config.engine.work_budget_seconds
        target = session.open(resource, lambda: until)
    except Refused as error:
        yield failed(f"probe {kind.noun}", str(error), f"name an existing {kind.noun} with --probe-{kind.noun}")
        return
    found, exists = _first_look(session, kind, target, resource, given=bool(probe))
    yield found
    if exists:
        yield from _every_read(session, kind, target, resource, rules)
    elif not probe:
        remedy = f"name one with --probe-{kind.noun}" if kind is BUCKETS else "they show with the first event"
        yield skipped("rule permissions", f"no {kind.noun} to try them on", remedy)


def _first_look(
    session: Session, kind: ResourceKind, target: Target[Identity], resource: Resource, *, given: bool
) -> tuple[CheckResult, bool]:
    service, shown, name = service_of(kind), service_of(kind).upper(), resource.resource_id
    try:
        seen = target.identity()
    except ResourceGone:
        if given:
            return failed(f"probe {kind.noun}", f"{name} does not exist", f"name an existing {kind.noun}"), False
        return ok(service, f"{shown} takes the credentials"), False
    except NotAuthenticated as error:
        text = f"{shown} refuses the credentials: {error.code}"
        return failed(service, text, "check the access key or role this process runs with"), False
    except PermissionMissing:
        actions = ", ".join(kind.look_actions)
        return failed(service, f"{actions} is not granted", f"grant it on every {kind.noun}; {_policy(session)}"), False
    except ServiceError as error:
        return failed(
            service, f"it cannot be reached: {error}", "try again; if it stays, ask with the request id"
        ), False
    if seen.owner_id != resource.account_id:
        text = f"{name} belongs to account {seen.owner_id}"
        return failed(f"probe {kind.noun}", text, f"name a {kind.noun} of account_id with --probe-{kind.noun}"), False
    return ok(service, f"{name} in {seen.region or resource.region} can be read"), True


def _every_read(
    session: Session, kind: ResourceKind, target: Target[Identity], resource: Resource, rules: tuple[Rule, ...]
) -> Iterator[CheckResult]:
    wrong = False
    for action in sorted(resource_actions(kind, rules, Purpose.CHECK)):
        request = kind.reads.get(action)
        if request is None:
            continue
        try:
            request(target)
        except PermissionMissing:
            wrong = True
            names = ", ".join(rule.name for rule in rules if action in _of(rule))
            yield failed(
                "rule permissions", f"{action} is not granted; needed by {names}", f"grant it; {_policy(session)}"
            )
        except ServiceError as error:
            wrong = True
            yield failed("rule permissions", f"{action} cannot be tried: {error}", "try again")
    if not wrong:
        yield ok("rule permissions", f"every rule may read what it has to on {resource.resource_id}")


def _not_tried(session: Session, rules: tuple[Rule, ...]) -> CheckResult:
    needed = {action for kind in kinds_of(rules) for action in resource_actions(kind, rules, Purpose.RUN)}
    changing = sorted(action for action in needed if not reads(action))
    if not changing:
        return ok("rule changes", "no rule may change anything")
    return skipped(
        "rule changes", f"cannot be tried without changing something: {', '.join(changing)}", _policy(session)
    )


def _policy(session: Session) -> str:
    return f"{session.command('ram-policy')} prints all that is needed"


def _of(rule: Rule) -> set[str]:
    return {*rule.remediation.actions, *rule.remediation.optional_actions}
