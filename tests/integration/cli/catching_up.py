"""What the tests of `catch-up` share: resources that no notification came for, and what is sent about them."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from consumer.core.event import Event, decode
from emulator.client import Emulator
from emulator.provisioning import setup_channel
from tests.emulation import eventually
from tests.integration.conftest import DEAD_LETTERS, QUEUE
from tests.integration.queues import messages

LIST = "ListConfigRuleEvaluationResults"
NO_DISK = {"HOME": "/dev/null", "XDG_STATE_HOME": ""}
"""The environment of a job whose disk goes with it: no file can be kept there."""


def settings(emulator: Emulator, *, min_age_seconds: int = 0, more: str = "") -> str:
    """The part of the configuration that catch-up reads."""
    where = f'\n[reevaluate]\nendpoint = "{emulator.control.url}"\n'
    return f"{where}\n[catch_up]\nmin_age_seconds = {min_age_seconds}\n{more}"


def broken(emulator: Emulator, *names: str, acl: str = "public-read", **more: object) -> None:
    """Buckets that break a rule, once that has been found."""
    emulator.create_buckets(list(names), acl=acl, **more)
    eventually(lambda: set(names) <= set(emulator.non_compliant()))


def emptied(emulator: Emulator) -> None:
    """The queues as if nothing had been sent."""
    emulator.reset("mns")
    setup_channel(emulator, queue=QUEUE, dead_letter_queue=DEAD_LETTERS)


def sent(emulator: Emulator) -> list[Event]:
    """The events that the queue holds, decoded by the worker's own code."""
    decoded = [decode(each["body"]) for each in messages(emulator, QUEUE)]
    return [each for each in decoded if isinstance(each, Event)]


def decisions(document: Any) -> dict[str, str]:
    """What is done about each resource."""
    return {each["resource"]: each["decision"] for each in document["resources"]}


def scraped(port: int, *more: str) -> dict[str, float]:
    """What the worker exports of catch-up, and series whose names begin with one of `more`; nothing while it starts."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
    except urllib.error.URLError:
        return {}
    wanted = re.compile("|".join(("catch_up", "missed", "notifications", *(f"^{name}" for name in more))))
    return {
        "/".join((sample.name, *sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if wanted.search(sample.name)
    }
