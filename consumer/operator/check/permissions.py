"""Whether OSS takes our credentials, and whether every enabled rule may read what it has to read.

What a rule may change cannot be found out without changing it; those actions are named and not tried.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping

from consumer.config import build_rules
from consumer.core.errors import NotAuthenticated, PermissionMissing, Refused, ResourceGone, ServiceError
from consumer.guards.rule import Rule
from consumer.operator.check.findings import Finding, failed, ok, skipped
from consumer.operator.permissions import Purpose, reads, resource_actions
from consumer.operator.session import Session
from consumer.resources.base import Resource
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.kind import BUCKETS

_POLICY = "config-remediator ram-policy prints all that is needed"

_READS: Mapping[str, Callable[[Bucket], object]] = {
    "oss:GetBucketPolicy": lambda bucket: bucket.policy(),
    "oss:GetBucketPublicAccessBlock": lambda bucket: bucket.public_access_block(),
    "oss:GetBucketEncryption": lambda bucket: bucket.encryption(),
    "oss:GetBucketVersioning": lambda bucket: bucket.versioning(),
    "oss:GetBucketLogging": lambda bucket: bucket.logging(),
    "oss:GetBucketReferer": lambda bucket: bucket.referer(),
    "oss:GetBucketHttpsConfig": lambda bucket: bucket.https_config(),
    "oss:GetBucketTagging": lambda bucket: bucket.tags(),
    "oss:ListBucketDataRedundancyTransition": lambda bucket: bucket.transitions(),
}


def look(session: Session, probe_bucket: str) -> Iterator[Finding]:
    """Ask about the probe bucket, or about one that does not exist."""
    config = session.config
    name = probe_bucket or f"config-remediator-check-{secrets.token_hex(8)}"
    try:
        resource = BUCKETS.resource(config.account_id, config.oss_default_region, name)
    except Refused as error:
        yield failed("probe bucket", str(error), "name an existing bucket with --probe-bucket")
        return
    until = time.monotonic() + config.engine.work_budget_seconds
    bucket = session.bucket(resource, lambda: until)
    found, seen = _first_look(bucket, resource, given=bool(probe_bucket))
    yield found
    rules = build_rules(config)
    if seen is not None:
        yield from _every_read(bucket, rules)
    elif not probe_bucket:
        yield skipped("rule permissions", "no bucket to try them on", "name one with --probe-bucket")
    yield _not_tried(rules)


def _first_look(bucket: Bucket, resource: Resource, *, given: bool) -> tuple[Finding, BucketInfo | None]:
    try:
        seen = bucket.info()
    except ResourceGone:
        if given:
            return failed("probe bucket", f"{bucket.name} does not exist", "name an existing bucket"), None
        return ok("oss", "OSS takes the credentials"), None
    except NotAuthenticated as error:
        text = f"OSS refuses the credentials: {error.code}"
        return failed("oss", text, "check the access key or role this process runs with"), None
    except PermissionMissing:
        return failed("oss", "oss:GetBucketInfo is not granted", f"grant it on the buckets; {_POLICY}"), None
    except ServiceError as error:
        return failed("oss", f"it cannot be asked: {error}", "try again; if it stays, ask with the request id"), None
    if seen.owner_id != resource.account_id:
        text = f"{bucket.name} belongs to account {seen.owner_id}"
        return failed("probe bucket", text, "name a bucket of account_id with --probe-bucket"), None
    return ok("oss", f"{bucket.name} in {seen.region or resource.region} can be read"), seen


def _every_read(bucket: Bucket, rules: tuple[Rule, ...]) -> Iterator[Finding]:
    wrong = False
    for action in sorted(resource_actions(BUCKETS, rules, Purpose.CHECK)):
        request = _READS.get(action)
        if request is None:
            continue
        try:
            request(bucket)
        except PermissionMissing:
            wrong = True
            names = ", ".join(rule.name for rule in rules if action in _of(rule))
            yield failed("rule permissions", f"{action} is not granted; needed by {names}", f"grant it; {_POLICY}")
        except ServiceError as error:
            wrong = True
            yield failed("rule permissions", f"{action} cannot be tried: {error}", "try again")
    if not wrong:
        yield ok("rule permissions", f"every rule may read what it has to on {bucket.name}")


def _not_tried(rules: tuple[Rule, ...]) -> Finding:
    changing = sorted(action for action in resource_actions(BUCKETS, rules, Purpose.RUN) if not reads(action))
    if not changing:
        return ok("rule changes", "no rule may change anything")
    return skipped("rule changes", f"cannot be tried without changing something: {', '.join(changing)}", _POLICY)


def _of(rule: Rule) -> set[str]:
    return {*rule.remediation.actions, *rule.remediation.optional_actions}
