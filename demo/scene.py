"""What the demonstration breaks, and what it sends that must not be acted on."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.client import Emulator
from emulator.provisioning import setup_channel

QUEUE = "config-events"
DEAD_LETTERS = "config-events-dead"
READ_RULE = "oss-bucket-public-read-prohibited"
WRITE_RULE = "oss-bucket-public-write-prohibited"
STRANGER = "9999888877776666"
"""The account of somebody else."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What was set up."""

    broken: tuple[str, ...]
    """Buckets that anyone can read or write, and that have to become private."""
    untouchable: tuple[str, ...]
    """Public buckets of another account: they have to stay as they are."""
    deleted: tuple[str, ...]
    """Buckets that are gone when their event arrives: they have to stay gone."""


def prepare(emulator: Emulator) -> dict[str, str]:
    """Queue, dead-letter queue, topic, subscription and two managed rules; returns the rules' ids by identifier."""
    setup_channel(
        emulator, queue=QUEUE, dead_letter_queue=DEAD_LETTERS, content_format="XML", visibility_timeout_seconds=30
    )
    # The emulator knows both rules from the start; adding one again tells its id.
    return {identifier: emulator.config.add_rule(identifier) for identifier in (READ_RULE, WRITE_RULE)}


def break_buckets(emulator: Emulator, count: int) -> Scene:
    """Make buckets public, which Cloud Config notices and reports, and publish what must not lead to a change."""
    readable = emulator.create_buckets([f"demo-read-{n:04}" for n in range(count - count // 4)], acl="public-read")
    writable = emulator.create_buckets([f"demo-write-{n:04}" for n in range(count // 4)], acl="public-read-write")
    deleted = _late_events(emulator)
    untouchable = _events_of_others(emulator)
    _older_forms(emulator, readable)
    _other_kinds(emulator)
    _poison(emulator)
    return Scene((*readable, *writable), untouchable, deleted)


def _late_events(emulator: Emulator) -> tuple[str, ...]:
    """Events for buckets that no longer exist: PutBucketAcl would create them anew."""
    names = tuple(f"demo-deleted-{n}" for n in range(3))
    for name in names:
        emulator.config.publish(bucket=name, rule=READ_RULE)
    return names


def _events_of_others(emulator: Emulator) -> tuple[str, ...]:
    """Events for buckets of another account, told as they are and told as ours."""
    names = tuple(emulator.create_buckets(["stranger-0", "stranger-1"], acl="public-read", owner_id=STRANGER))
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
        emulator.config.publish(kind=kind, bucket="demo-read-0000")


def _poison(emulator: Emulator) -> None:
    """Bodies that are no events, and events that try to choose a host or a name."""
    for body in ("not base64 at all!", "e30=", "{", "<Notification><Message>", "\N{BLACK HEART SUIT}" * 2000):
        emulator.config.publish_raw(body)
    emulator.config.publish(bucket="demo-read-0000", rule=READ_RULE, region="evil.example/x#")
    emulator.config.publish(bucket="../demo-read-0000", rule=READ_RULE)
    emulator.config.publish(bucket="user@evil.example", rule=READ_RULE)
