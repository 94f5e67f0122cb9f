"""Sets up queue, dead-letter queue, topics, subscriptions and the managed rules once, as an administrator would.

What it makes is what deploy/compose/config.toml names. Running it again changes nothing.
"""

from __future__ import annotations

import time

from mns.subscription import SubscriptionMeta
from mns.topic import TopicMeta

from deploy.compose.announcements import PORT
from deploy.compose.emulated import emulated, persist, say
from emulator.client import Emulator
from emulator.interruption import command
from emulator.provisioning import account, setup_channel

QUEUE = "config-events"
DEAD_LETTERS = "config-events-dead"
ANNOUNCEMENTS = "config-remediator"
RECEIVER = f"http://announcements:{PORT}/announcements"
"""The container of that name; the topic pushes to it."""
RULES = {
    "oss-bucket-public-read-prohibited": "cr-public-read",
    "oss-bucket-public-write-prohibited": "cr-public-write",
    "oss-bucket-server-side-encryption-enabled": "cr-encryption",
    "oss-bucket-versioning-enabled": "cr-versioning",
}
"""Identifiers of managed rules with the rule ids that the worker's configuration names."""


def provision(emulator: Emulator) -> None:
    """Everything that is not there yet."""
    for identifier, rule_id in RULES.items():
        for known in emulator.control.call("GET", "/config/rules")["rules"]:
            if known["identifier"] == identifier and known["rule_id"] != rule_id:
                emulator.config.remove_rule(identifier)
        emulator.config.add_rule(identifier, rule_id=rule_id)
    setup_channel(
        emulator, queue=QUEUE, dead_letter_queue=DEAD_LETTERS, content_format="XML", visibility_timeout_seconds=60
    )
    announce(emulator, RECEIVER)


def announce(emulator: Emulator, receiver: str) -> None:
    """The topic of announcements, and the subscription that pushes them to an HTTP endpoint."""
    with account(emulator) as owner:
        topic = owner.get_topic(ANNOUNCEMENTS)
        topic.create(TopicMeta())
        topic.get_subscription("printed").subscribe(SubscriptionMeta(receiver, "BACKOFF_RETRY", "SIMPLIFIED"))


def main() -> int:
    """Provision, as soon as the emulator is there; exit status 0 when everything is."""
    emulator = emulated()
    persist(emulator, lambda: provision(emulator), time.sleep)
    say(f"queue {QUEUE}, dead-letter queue {DEAD_LETTERS}, {len(RULES)} rules")
    return 0


if __name__ == "__main__":
    command("provision", main)
