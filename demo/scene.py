"""What the demonstration breaks, what must stay as it is, and what is sent that must not be acted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emulator.client import Emulator
from emulator.provisioning import setup_channel

QUEUE = "config-events"
DEAD_LETTERS = "config-events-dead"
TOPIC = "config-topic"
READ_RULE = "oss-bucket-public-read-prohibited"
STRANGER = "9999888877776666"
"""The account of somebody else."""
TERRAFORM_LOOPS = 3
"""How often somebody breaks one bucket again before the worker leaves it to a person."""


@dataclass(frozen=True, slots=True)
class DemoRule:
    """One `[[rules]]` entry of the worker and the managed rule whose events it takes."""

    name: str
    remediation: str
    identifier: str
    mode: str = "enforce"


RULES = (
    DemoRule("public-write", "oss.bucket-acl", "oss-bucket-public-write-prohibited"),
    DemoRule("public-read", "oss.bucket-acl", READ_RULE),
    DemoRule("open-policy", "oss.bucket-policy-public", "oss-bucket-policy-no-any-anonymous"),
    DemoRule("encryption", "oss.encryption", "oss-bucket-server-side-encryption-enabled"),
    DemoRule("old-tls", "oss.tls-version", "oss-bucket-tls-version-check"),
    DemoRule("risky-ports", "ecs.revoke-public-ingress", "sg-risky-ports-check"),
    DemoRule("versioning", "oss.versioning", "oss-bucket-versioning-enabled", mode="observe"),
)

_IN_ORDER: dict[str, Any] = {
    "encryption": {"algorithm": "AES256"},
    "versioning": "Enabled",
    "https_config": {"tls_enabled": True, "tls_versions": ["TLSv1.2", "TLSv1.3"]},
}
"""Settings with which a bucket breaks none of the rules."""

_OPEN_POLICY = {
    "Version": "1",
    "Statement": [
        {"Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:*/*"]},
        {"Effect": "Allow", "Principal": ["200000000000000001"], "Action": ["oss:*"], "Resource": ["acs:oss:*:*:*"]},
    ],
}

_EVERYONE, _OFFICE = "0.0.0.0/0", "203.0.113.0/24"
_FINE = (
    {"port_range": "443/443", "source_cidr_ip": _EVERYONE, "description": "the shop"},
    {"port_range": "22/22", "source_cidr_ip": _OFFICE, "description": "administrators"},
)
"""Rules of a security group that break nothing and have to stay."""
_OPEN = (
    {"port_range": "22/22", "source_cidr_ip": _EVERYONE, "description": "only for a minute"},
    {"port_range": "3000/4000", "ipv6_source_cidr_ip": "::/0"},
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What was set up."""

    broken: tuple[str, ...]
    """Buckets and security groups that break a rule, and have to end without breaking any."""
    missed: tuple[str, ...]
    """Those of them that no event comes for: public before the subscription, or their notification is lost."""
    groups: tuple[str, ...]
    """The groups among them: only their open rules may be taken from them."""
    exempt: str
    """A public site that an exemption covers: it has to stay public."""
    observed: tuple[str, ...]
    """Buckets that only an observing rule looks at: they have to stay as they are, their messages in the queue."""
    contested: str
    """A bucket that somebody keeps opening again."""
    untouchable: tuple[str, ...]
    """Public buckets of another account: they have to stay as they are."""
    claimed: str
    """The one of them that an event says is ours: refused like a bucket for which a right is missing, so it is held."""
    deleted: tuple[str, ...]
    """Buckets that are gone when their event arrives: they have to stay gone."""

    @property
    def kept_messages(self) -> int:
        """How many messages have to be left in the queue, parked or hidden."""
        return len(self.observed) + len((self.contested, self.claimed))


def prepare(emulator: Emulator) -> dict[str, str]:
    """Queue, dead-letter queue, topic, subscription and the managed rules; returns rule ids by identifier."""
    setup_channel(
        emulator,
        queue=QUEUE,
        topic=TOPIC,
        dead_letter_queue=DEAD_LETTERS,
        content_format="XML",
        visibility_timeout_seconds=30,
    )
    emulator.journal_reads(True)
    return {rule.identifier: emulator.config.add_rule(rule.identifier) for rule in RULES}


def break_things(emulator: Emulator, count: int) -> Scene:
    """Make things break rules, which Cloud Config notices and reports, and publish what must not lead to a change."""
    share = count // 10
    missed = (*_before_the_subscription(emulator), *_with_lost_notifications(emulator))
    strangers = _events_of_others(emulator)
    groups = tuple(_groups(emulator, max(2, count // 20)))
    readable = _buckets(emulator, "read", count - 5 * share, acl="public-read")
    scene = Scene(
        broken=(
            *missed,
            *readable,
            *_buckets(emulator, "write", 2 * share, acl="public-read-write"),
            *_buckets(emulator, "policy", share, policy=_OPEN_POLICY),
            *_buckets(emulator, "plain", share, encryption=None),
            *_buckets(emulator, "tls", share, https_config={"tls_enabled": False}),
            *groups,
        ),
        missed=missed,
        groups=groups,
        exempt=_buckets(emulator, "static-site", 1, acl="public-read")[0],
        observed=tuple(_buckets(emulator, "unversioned", 3, versioning=None)),
        contested=_buckets(emulator, "terraform", 1, acl="public-read")[0],
        untouchable=strangers,
        claimed=strangers[-1],
        deleted=_late_events(emulator),
    )
    _older_forms(emulator, readable)
    _other_kinds(emulator)
    _poison(emulator)
    return scene


def _buckets(emulator: Emulator, kind: str, count: int, **settings: object) -> list[str]:
    return emulator.create_buckets(prefix=f"demo-{kind}-", count=count, **{**_IN_ORDER, **settings})


def _before_the_subscription(emulator: Emulator) -> list[str]:
    """Buckets that were public, and known to be, before anybody was notified of such."""
    emulator.config.set_channel(topic=None)
    names = _buckets(emulator, "before", 3, acl="public-read")
    emulator.config.evaluate()
    emulator.config.set_channel(topic=TOPIC)
    return names


def _with_lost_notifications(emulator: Emulator) -> list[str]:
    """Buckets whose notifications never reach the topic."""
    emulator.config.set_channel(lose=3)
    return _buckets(emulator, "lost", 3, acl="public-read")


def _groups(emulator: Emulator, count: int) -> list[str]:
    return emulator.create_security_groups(prefix="sg-demo-", count=count, permissions=[*_FINE, *_OPEN])


def what_stays(emulator: Emulator, group: str) -> bool:
    """Whether a group has the rules that it has to keep, and no other."""
    now = emulator.security_group(group)["permissions"]
    return [each.get("description") for each in now] == [each["description"] for each in _FINE]


def _late_events(emulator: Emulator) -> tuple[str, ...]:
    """Events for buckets that no longer exist: PutBucketAcl would create them anew."""
    names = tuple(f"demo-deleted-{n}" for n in range(3))
    for name in names:
        emulator.config.publish(bucket=name, rule=READ_RULE)
    return names


def _events_of_others(emulator: Emulator) -> tuple[str, ...]:
    """Events for buckets of another account, with the true owner and with ours."""
    names = tuple(
        emulator.create_buckets(["stranger-0", "stranger-1"], acl="public-read", owner_id=STRANGER, **_IN_ORDER)
    )
    emulator.config.publish(bucket=names[0], rule=READ_RULE, owner_id=STRANGER)
    emulator.config.publish(bucket=names[1], rule=READ_RULE, owner_id=emulator.endpoints.account_id)
    return names


def _older_forms(emulator: Emulator, buckets: list[str]) -> None:
    """The same events again, in the forms of other years: duplicates by the time they are handled."""
    for bucket, variant in zip(buckets, ("2021", "oldest", "log-service", "event-bridge"), strict=False):
        emulator.config.publish(bucket=bucket, rule=READ_RULE, variant=variant)
        emulator.config.publish(bucket=bucket, rule=READ_RULE, variant=variant, encoding="plain")


def _other_kinds(emulator: Emulator) -> None:
    for kind in ("resource-change", "snapshot-success", "snapshot-failure"):
        emulator.config.publish(kind=kind, bucket="demo-read-00000")


def _poison(emulator: Emulator) -> None:
    """Bodies that are no events, and events that try to choose a host or a name."""
    for body in ("not base64 at all!", "e30=", "{", "<Notification><Message>", "\N{BLACK HEART SUIT}" * 2000):
        emulator.config.publish_raw(body)
    emulator.config.publish(bucket="demo-read-00000", rule=READ_RULE, region="evil.example/x#")
    emulator.config.publish(bucket="../demo-read-00000", rule=READ_RULE)
    emulator.config.publish(bucket="user@evil.example", rule=READ_RULE)
