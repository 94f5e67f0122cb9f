"""Which RAM actions the configured rules and the commands need, and the policy that grants exactly these. Pure.

Every request that a gateway can make has its action here; one without an action is a defect that a test finds.
Resources: https://www.alibabacloud.com/help/en/mns/security-and-compliance/permission-policies-and-examples and
https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from consumer.guards.rule import Mode, Rule, kinds_of
from consumer.resources.base import ResourceKind
from consumer.resources.oss.kind import BUCKETS
from consumer.resources.ram_actions import actions_of


class Purpose(StrEnum):
    """A command that a policy can be for."""

    RUN = "run"
    CHECK = "check"
    PROVISION = "provision"
    PEEK = "peek"
    CATCH_UP = "catch-up"
    DLQ = "dlq"
    UNDO = "undo"
    REPAIR = "repair"
    EXPLAIN = "explain"
    PROVE = "prove"
    """`check --prove`, for the person who runs it."""


class GrantTarget(StrEnum):
    """On what an action is granted; the words complete `acs:mns:<region>:<account>:`."""

    QUEUE = "/queues/{queue}"
    MESSAGES = "/queues/{queue}/messages"
    DEAD_LETTER_QUEUE = "/queues/{dead_letter_queue}"
    DEAD_LETTERS = "/queues/{dead_letter_queue}/messages"
    TOPIC = "/topics/{topic}"
    SUBSCRIPTION = "/topics/{topic}/subscriptions/{subscription}"
    PUBLISHED = "/topics/{topic}/messages"
    ANNOUNCED = "/topics/{announced}"
    ANNOUNCEMENTS = "/topics/{announced}/messages"


_CONFIRMING = ("GetConfigRule", "ListResourceEvaluationResults")
"""Requests to Cloud Config before a change that cannot be taken back."""
_READ_WORDS = ("Get", "List", "Describe", "Query")

_MNS_NEEDS: Mapping[Purpose, Sequence[tuple[GrantTarget, Sequence[str]]]] = {
    Purpose.RUN: (
        (
            GrantTarget.MESSAGES,
            ("BatchReceiveMessage", "BatchDeleteMessage", "ChangeMessageVisibility", "SendMessage"),
        ),
        (GrantTarget.QUEUE, ("GetQueueAttributes",)),
        (GrantTarget.DEAD_LETTERS, ("SendMessage", "BatchPeekMessage")),
        (GrantTarget.DEAD_LETTER_QUEUE, ("GetQueueAttributes",)),
        (GrantTarget.ANNOUNCEMENTS, ("PublishMessage",)),
    ),
    Purpose.CHECK: (
        (GrantTarget.MESSAGES, ("BatchDeleteMessage", "ChangeMessageVisibility", "SendMessage")),
        (GrantTarget.QUEUE, ("GetQueueAttributes",)),
        (GrantTarget.DEAD_LETTER_QUEUE, ("GetQueueAttributes",)),
        (GrantTarget.TOPIC, ("GetTopicAttributes",)),
        (GrantTarget.SUBSCRIPTION, ("GetSubscriptionAttributes",)),
        (GrantTarget.ANNOUNCED, ("GetTopicAttributes",)),
        (GrantTarget.ANNOUNCEMENTS, ("PublishMessage",)),
    ),
    Purpose.PROVISION: (
        (GrantTarget.QUEUE, ("CreateQueue", "GetQueueAttributes", "SetQueueAttributes")),
        (GrantTarget.DEAD_LETTER_QUEUE, ("CreateQueue", "GetQueueAttributes", "SetQueueAttributes")),
        (GrantTarget.TOPIC, ("CreateTopic", "GetTopicAttributes", "SetTopicAttributes")),
        (GrantTarget.SUBSCRIPTION, ("Subscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes")),
    ),
    Purpose.PEEK: ((GrantTarget.MESSAGES, ("BatchPeekMessage",)),),
    Purpose.CATCH_UP: (
        (GrantTarget.MESSAGES, ("SendMessage", "BatchPeekMessage")),
        (GrantTarget.DEAD_LETTERS, ("BatchPeekMessage",)),
    ),
    Purpose.DLQ: (
        (
            GrantTarget.DEAD_LETTERS,
            ("BatchPeekMessage", "BatchReceiveMessage", "BatchDeleteMessage", "ChangeMessageVisibility"),
        ),
        (GrantTarget.MESSAGES, ("SendMessage",)),
    ),
    Purpose.UNDO: ((GrantTarget.ANNOUNCEMENTS, ("PublishMessage",)),),
    Purpose.REPAIR: ((GrantTarget.ANNOUNCEMENTS, ("PublishMessage",)),),
    Purpose.EXPLAIN: (),
    Purpose.PROVE: (
        (GrantTarget.PUBLISHED, ("PublishMessage",)),
        (GrantTarget.TOPIC, ("GetTopicAttributes",)),
        (GrantTarget.SUBSCRIPTION, ("GetSubscriptionAttributes",)),
        (GrantTarget.QUEUE, ("GetQueueAttributes",)),
        (GrantTarget.MESSAGES, ("BatchPeekMessage",)),
    ),
}


_MNS_OPTIONAL: Mapping[Purpose, Collection[tuple[GrantTarget, str]]] = {
    Purpose.RUN: (
        (GrantTarget.DEAD_LETTER_QUEUE, "GetQueueAttributes"),
        (GrantTarget.DEAD_LETTERS, "BatchPeekMessage"),
    ),
    Purpose.CATCH_UP: (
        (GrantTarget.MESSAGES, "BatchPeekMessage"),
        (GrantTarget.DEAD_LETTERS, "BatchPeekMessage"),
    ),
}
"""What a purpose can do without: the worker then starts without a look at its dead-letter queue and exports less of
queue_messages, and says that it does not know what was given up before it started. Sending to its own queue is none of
it: what waits would be hidden there, and what waits for long would be lost; nor is reading that queue's retention, or
what waits comes back twice a minute. Catch-up then says that it has not looked at the queues, and
brings what waits there once more."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a policy is about; an empty name is a resource that is not configured."""

    account_id: str
    region: str
    queue: str
    dead_letter_queue: str = ""
    topic: str = ""
    subscription: str = ""
    resource_ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids or patterns by resource type; those of the rules, or every one, of the types that are not in it."""
    member: str = ""
    """The member account whose role the policy is for; empty for the worker's own identity."""
    announced: str = ""
    """The topic of announcements."""
    reads_tags: bool = False
    """Whether an exemption or a rule selects by tags, or announcements name owners."""
    names_owners: bool = False
    """Whether announcements do, those of an undo as well."""
    roles: tuple[str, ...] = ()
    """Roles in member accounts that are assumed."""
    evaluator_operations: tuple[str, ...] = ()
    """Requests to Cloud Config, after a fix or before a change that cannot be taken back."""
    catch_up_operations: tuple[str, ...] = ()
    """Requests of catch-up to it."""
    request_operations: tuple[str, ...] = ()
    """What catch-up requests of it with --request-evaluation only."""

    canary: str = ""
    """The bucket that `check --prove` may break."""
    canary_public: bool = False
    """Whether it may be opened to everyone for that."""

    @property
    def resources_account(self) -> str:
        """The account whose resources are granted."""
        return self.member or self.account_id

    def arn(self, place: GrantTarget) -> str:
        """The resource, or nothing if it is not configured."""
        parts = {
            "queue": self.queue,
            "dead_letter_queue": self.dead_letter_queue,
            "topic": self.topic,
            "subscription": self.subscription,
            "announced": self.announced,
        }
        if any(f"{{{name}}}" in place.value and not value for name, value in parts.items()):
            return ""
        return f"acs:mns:{self.region}:{self.account_id}:{place.value.format(**parts)}"


def resource_actions(kind: ResourceKind, rules: Iterable[Rule], purpose: Purpose, *, optional: bool = True) -> set[str]:
    """What the rules need on resources of a kind for a purpose; nothing where it never looks at one."""
    if purpose in (Purpose.PROVISION, Purpose.DLQ, Purpose.CATCH_UP, Purpose.PROVE):
        return set()
    needed = set(kind.look_actions)
    for rule in rules:
        if rule.remediation.kind is kind:
            needed |= _of_rule(rule, purpose, optional=optional)
    return needed


def _of_rule(rule: Rule, purpose: Purpose, *, optional: bool) -> set[str]:
    repair = rule.remediation
    actions = {*repair.actions, *(repair.optional_actions if optional else ())}
    if purpose is Purpose.UNDO:
        return {*repair.actions, *repair.undo_actions}
    if _changes(rule, purpose):
        return actions
    return {action for action in (repair.actions if purpose is Purpose.RUN else actions) if reads(action)}


def _changes(rule: Rule, purpose: Purpose) -> bool:
    """Whether the rule's change is made for that purpose; else its looks alone are."""
    return purpose is Purpose.REPAIR or (purpose is Purpose.RUN and rule.mode is Mode.ENFORCE)


def reads(action: str) -> bool:
    """Whether an action changes nothing, by the words that the services' reads begin with."""
    return action.partition(":")[2].startswith(_READ_WORDS)


def policy(
    rules: Sequence[Rule], scope: Scope, purposes: Collection[Purpose], *, optional: bool = True
) -> dict[str, Any]:
    """The RAM policy document for these purposes; for a member account's role, of what is done there."""
    granted: dict[str, set[str]] = {}
    for purpose in sorted(set(purposes)):
        if purpose is Purpose.PROVE:
            _grant_proof(granted, rules, scope)
            continue
        if not scope.member:
            _grant_mns(granted, scope, purpose, optional=optional)
        for rule in rules:
            if not rule.selector.accounts or scope.resources_account in rule.selector.accounts:
                _grant_resources(granted, scope, rule, purpose, optional=optional)
        if not scope.member:
            _grant_roles(granted, rules, scope, purpose)
            for operation in _evaluator_operations(rules, scope, purpose, optional=optional):
                granted.setdefault("*", set()).update(actions_of("config", operation))
    granted.pop("", None)
    return {"Version": "1", "Statement": _statements(granted)}


def _grant_mns(granted: dict[str, set[str]], scope: Scope, purpose: Purpose, *, optional: bool) -> None:
    for place, operations in _MNS_NEEDS[purpose]:
        for operation in operations:
            if optional or (place, operation) not in _MNS_OPTIONAL.get(purpose, ()):
                granted.setdefault(scope.arn(place), set()).update(actions_of("mns", operation))


def _grant_proof(granted: dict[str, set[str]], rules: Sequence[Rule], scope: Scope) -> None:
    """What `check --prove` does: break and put back on the canary and nowhere else, publish, and look at the way."""
    if not scope.canary or scope.member:
        return
    _grant_mns(granted, scope, Purpose.PROVE, optional=True)
    canary = _owned(BUCKETS.arn(scope.canary), scope.account_id)
    granted[canary] = {*BUCKETS.look_actions, *BUCKETS.tag_actions, "oss:ListObjects"}
    for rule in rules:
        repair, only = rule.remediation, rule.selector.resources
        if not repair.rehearsable or (repair.break_opens and not scope.canary_public):
            continue
        if only and not any(fnmatchcase(scope.canary, pattern) for pattern in only):
            continue
        looks = {action for action in repair.optional_actions if reads(action)}
        granted[canary] |= {*repair.actions, *repair.undo_actions, *looks}
        for grant in repair.further_grants():
            resource = _owned(grant.resource, scope.account_id) if grant.own else grant.resource
            granted.setdefault(resource, set()).add(grant.action)


def _grant_resources(
    granted: dict[str, set[str]], scope: Scope, rule: Rule, purpose: Purpose, *, optional: bool
) -> None:
    kind = rule.remediation.kind
    actions = resource_actions(kind, [rule], purpose, optional=optional)
    if not actions:
        return
    if scope.names_owners if purpose is Purpose.UNDO else scope.reads_tags:
        actions = {*actions, *kind.tag_actions}
    for resource in _resources(scope, rule, purpose):
        granted.setdefault(resource, set()).update(actions)
    for grant in rule.remediation.further_grants():
        # Every look reads, also one that leads to no change: without the right it would find something else.
        if _changes(rule, purpose) or (purpose is not Purpose.CHECK and reads(grant.action)):
            resource = _owned(grant.resource, scope.resources_account) if grant.own else grant.resource
            granted.setdefault(resource, set()).add(grant.action)


def _resources(scope: Scope, rule: Rule, purpose: Purpose) -> Iterator[str]:
    """What a rule's resources are called in a policy: no more than its own for the worker, which looks at no other.

    A person may look at any of them, and undo what the rule has changed when it was about more.
    """
    kind, narrowed = rule.remediation.kind, purpose is Purpose.RUN
    own = tuple(map(_ram_pattern, rule.selector.resources)) if narrowed else ()
    regions = sorted(rule.selector.regions) if narrowed and kind.arn_names_region else ()
    for resource_id in scope.resource_ids.get(kind.resource_type, own or ("*",)):
        for region in regions or ("*",):
            yield _owned(kind.arn(resource_id), scope.resources_account, region)


def _owned(arn: str, account: str, region: str = "*") -> str:
    """An ARN with the account, and the region, that it leaves open: `acs:<service>:<region>:<account>:<resource>`."""
    _, service, _, owner, resource = arn.split(":", 4)
    return f"acs:{service}:{region}:{account if owner == '*' else owner}:{resource}"


def _ram_pattern(pattern: str) -> str:
    """The narrowest RAM pattern that covers a shell pattern: RAM knows nothing like [...], which becomes *."""
    return re.sub(r"\[[!]?\]?[^]]*\]|[*?]+", "*", pattern)


def _grant_roles(granted: dict[str, set[str]], rules: Sequence[Rule], scope: Scope, purpose: Purpose) -> None:
    if any(resource_actions(kind, rules, purpose) for kind in kinds_of(rules)):
        for role in scope.roles:
            granted.setdefault(role, set()).add("sts:AssumeRole")


def _evaluator_operations(rules: Iterable[Rule], scope: Scope, purpose: Purpose, *, optional: bool) -> Sequence[str]:
    """Requests to Cloud Config: after a fix, before what cannot be taken back, and by catch-up."""
    match purpose:
        case Purpose.RUN:
            return scope.evaluator_operations
        case Purpose.REPAIR:
            confirms = any(rule.remediation.one_way for rule in rules)
            return _CONFIRMING if confirms and scope.evaluator_operations else ()
        case Purpose.CATCH_UP:
            return (*scope.catch_up_operations, *(scope.request_operations if optional else ()))
        case _:
            return ()


def _statements(granted: Mapping[str, set[str]]) -> list[dict[str, Any]]:
    """One statement for each set of actions, with every resource it is granted on."""
    together: dict[tuple[str, ...], list[str]] = {}
    for resource, actions in granted.items():
        if actions:
            together.setdefault(tuple(sorted(actions)), []).append(resource)
    return [
        {"Effect": "Allow", "Action": list(actions), "Resource": sorted(resources)}
        for actions, resources in sorted(together.items(), key=lambda entry: sorted(entry[1]))
    ]
