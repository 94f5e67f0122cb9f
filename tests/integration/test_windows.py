"""Windows of time, with whole workers and commands: nothing is changed outside of them, and everything else goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.conftest import Run
from tests.integration.queues import messages
from tests.integration.test_guards import READ, changes, held, kept

FOR_LONG = {"retry__hold_seconds": "3600"}


def closed() -> str:
    """A window that opens in three days, whatever day it is."""
    return f"{datetime.now(UTC) + timedelta(days=3):%a} 00:00-24:00 UTC"


def test_outside_of_a_window_nothing_is_changed_and_the_rest_goes_on(channel: Emulator, run: Run) -> None:
    """Broken buckets are held, the message stays; what is compliant or gone is settled as ever."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["broken"], acl="public-read")
    channel.create_buckets(["fine"], acl="private")
    for bucket in ("broken", "fine", "gone"):
        channel.config.publish(bucket=bucket, rule=READ)
    with run(f'\nwindows = ["{closed()}"]\n', **FOR_LONG) as running:
        eventually(lambda: kept(channel) == 1)
        eventually(lambda: held(running, "public-read", "outside_window") == 1)
        eventually(lambda: len(messages(channel, "config-events")) == 1)
        gauge = running.service.metrics.registry.get_sample_value
        assert gauge("remediator_window_open", {"rule": "public-read"}) == 0
        assert gauge("remediator_window_open", {"rule": "public-write"}) is None
    assert changes(channel) == []
    assert channel.acls()["broken"] == "public-read"


def test_within_a_window_everything_is_repaired(channel: Emulator, run: Run) -> None:
    """Of several, one that is open is enough."""
    channel.create_buckets(count=3, acl="public-read")
    with run(f'\nwindows = ["{closed()}", "daily 00:00-24:00 Asia/Shanghai"]\n'):
        eventually(lambda: len(changes(channel)) == 3)
