"""What the commands say of windows of time."""

from __future__ import annotations

import json
from pathlib import Path

from emulator.client import Emulator
from tests.integration.cli.conftest import RULES, Cli
from tests.integration.queues import messages
from tests.integration.test_guards import READ
from tests.integration.test_windows import closed


def windows(cli: Cli, *given: str) -> None:
    """Give the rule that enforces these windows."""
    cli.configure(RULES.replace('mode = "enforce"\n', f'mode = "enforce"\nwindows = {json.dumps(given)}\n'))


def test_check_says_whether_a_rule_may_act_now(cli: Cli) -> None:
    """And when it may next."""
    windows(cli, closed())
    (found,) = [each for each in cli.run("check", "-o", "json").document if each["check"] == "windows"]
    assert (found["status"], "public-read makes no changes now; again from 20" in found["message"]) == ("ok", True)

    windows(cli, closed(), "daily 00:00-24:00 UTC")
    (found,) = [each for each in cli.run("check", "-o", "json").document if each["check"] == "windows"]
    assert "public-read may make changes now" in found["message"]


def test_a_zone_that_nobody_knows_is_refused_by_its_key(cli: Cli) -> None:
    """At the start, and by check."""
    windows(cli, "daily 00:00-24:00 Mars/Olympus")
    result = cli.run("check")
    assert result.status == 2
    assert "rules[0].windows[0]" in result.out
    assert "Mars/Olympus" in result.out


def test_peek_says_what_waits_for_its_window(cli: Cli, channel: Emulator) -> None:
    """As the worker would hold it now."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    channel.config.publish(bucket="photos", rule=READ)
    windows(cli, closed())
    (found,) = cli.json("peek")
    assert (found["outcome"], found["reason"]) == ("held", "outside_window")


def test_simulate_goes_by_the_times_of_the_events(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """A Saturday's event is held by a rule for weekdays, whatever day it is today; a Tuesday's is repaired."""
    channel.config.set_channel(non_compliance=False)
    saturday, tuesday = 1_796_500_000_000, 1_796_700_000_000  # 2026-12-05T19:46Z and 2026-12-08T03:20Z
    for moment in (saturday, tuesday):
        channel.config.publish(
            bucket="photos",
            rule=READ,
            overrides={
                "notificationCreationTime": moment,
                "evaluationResultIdentifier.orderingTimestamp": moment,
            },
        )
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(each["body"] for each in messages(channel, "config-events")))
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"photos": {"acl": "public-read"}}))
    windows(cli, "Mon-Fri 00:00-24:00 UTC")

    found = cli.json("simulate", str(path), "--state", str(state))["messages"]

    assert [(each["outcome"], each["reason"]) for each in found] == [("held", "outside_window"), ("fixed", "")]
