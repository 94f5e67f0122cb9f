"""`check`: every fault, injected alone, gives its own message with a remedy; nothing is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator.client import Emulator
from emulator.provisioning import account
from tests.integration.cli.conftest import Cli, Result
from tests.ports import free_port
from tests.redis_server import redis_server


def failures(result: Result) -> dict[str, str]:
    """What failed, with message and remedy in one text."""
    return {
        each["check"]: f"{each['message']} → {each['remedy']}" for each in result.document if each["status"] == "failed"
    }


def checked(cli: Cli, *arguments: str, **environment: str) -> Result:
    """One check, as JSON."""
    return cli.run("check", "-o", "json", *arguments, **environment)


def test_a_whole_set_up_passes_and_stays_untouched(cli: Cli, channel: Emulator) -> None:
    """All is well with a probe bucket; afterwards journal and queue are as they were."""
    channel.create_buckets(["probe"], acl="private")
    channel.config.publish_raw("waiting")
    before = (channel.journal(), channel.state()["mns"], channel.acls())
    result = checked(cli, "--probe-bucket", "probe")
    assert result.status == 0, result
    assert failures(result) == {}
    assert {"credentials", "clock", "queue", "dead-letter queue", "topic", "rule permissions"} <= {
        each["check"] for each in result.document if each["status"] == "ok"
    }
    assert (channel.journal(), channel.state()["mns"], channel.acls()) == before


def test_a_shared_store_is_checked(cli: Cli, tmp_path: Path) -> None:
    """It answers and evicts nothing; one that may evict what limits count is a reason to change it."""
    with redis_server(tmp_path) as server:
        cli.replace("[retry]\n", f"{server.section}\n[retry]\n")
        (found,) = [each for each in checked(cli).document if each["check"] == "shared store"]
        assert (found["status"], "answers" in found["message"]) == ("ok", True)
        server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        (found,) = [each for each in checked(cli).document if each["check"] == "shared store"]
        assert (found["status"], "noeviction" in found["remedy"]) == ("warning", True)
        server.command("CONFIG", "SET", "maxmemory", "1")
        assert "maxmemory" in failures(checked(cli))["shared store"]
        server.command("CONFIG", "SET", "maxmemory", "0")
        server.command("REPLICAOF", "127.0.0.1", "1")
        assert "read only" in failures(checked(cli))["shared store"]
        server.command("CONFIG", "SET", "replica-read-only", "no")
        assert "not the master" in failures(checked(cli))["shared store"]


def test_a_table_shows_what_was_found_and_what_to_do(cli: Cli) -> None:
    """People get one row for each check, with the remedy below the message."""
    result = cli.run("check")
    assert "config-events: hidden for" in result.out
    (remedy,) = [line for line in result.out.splitlines() if "set the strategy EXPONENTIAL_DECAY_RETRY" in line]
    assert remedy.strip().startswith("→")
    assert "\\n" not in result.out
    assert "warning" in result.out.splitlines()[-1]


def test_queues_without_figures_are_as_good(cli: Cli, channel: Emulator) -> None:
    """The service is withdrawing how many messages they hold, and the SDK cannot read them then."""
    channel.set_queue_figures("absent")
    assert checked(cli).status == 0


def _parking(result: Result) -> tuple[str, str]:
    (found,) = [each for each in result.document if each["check"] == "parking"]
    return found["status"], f"{found['message']} → {found['remedy']}"


def test_whether_the_queue_may_be_sent_to_is_not_called_proven(cli: Cli, channel: Emulator) -> None:
    """Only a message that cannot be taken is offered, so that all that shows is a refusal for another reason."""
    before = channel.journal()
    status, text = _parking(checked(cli))
    assert (status, "not proven" in text, "InvalidArgument" in text) == ("skipped", True, True)
    assert channel.journal() == before


def test_without_the_right_to_send_what_waits_is_hidden(cli: Cli, channel: Emulator) -> None:
    """The worker works on, so it is a warning, which names the action; a service that does not answer is a failure."""
    fault = channel.faults.add("error", "SendMessage", service="mns", status=403, code="AccessDenied")
    result = checked(cli)
    status, text = _parking(result)
    assert (result.status, status) == (0, "warning")
    assert all(word in text for word in ("mns:SendMessage on config-events", "hidden", "grant", "ram-policy")), text
    channel.faults.remove(fault)
    channel.faults.add("error", "SendMessage", service="mns", status=503, code="ServiceUnavailable")
    result = checked(cli)
    assert (result.status, _parking(result)[0]) == (1, "failed")


def test_a_retention_shorter_than_the_longest_wait_is_a_warning(cli: Cli, channel: Emulator) -> None:
    """What is parked comes back before it expires; what cannot be parked would not."""
    _attributes(msg_ttl=600)(cli, channel)
    result = checked(cli)
    (found,) = [each for each in result.document if each["check"] == "queue retention"]
    assert (result.status, found["status"]) == (0, "warning")
    assert all(word in found["message"] for word in ("600 s", "3600 s", "half", "lost")), found


def test_a_warning_fails_only_a_strict_check(cli: Cli) -> None:
    """The subscription's few retries are a warning: status 0, and 1 with --strict."""
    assert (checked(cli).status, checked(cli, "--strict").status) == (0, 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and the check that has to say so."""

    name: str
    inject: Callable[[Cli, Emulator], object]
    check: str
    says: tuple[str, ...]
    """Words of the message and of the remedy."""
    status: int = 1


def _refused(operation: str, code: str = "AccessDenied", service: str = "mns") -> Callable[[Cli, Emulator], object]:
    return lambda _, emulator: emulator.faults.add("error", operation, service=service, status=403, code=code)


def _configured(old: str, new: str) -> Callable[[Cli, Emulator], object]:
    return lambda cli, _: cli.replace(old, new)


def _closed_port() -> str:
    return f"http://127.0.0.1:{free_port()}"


def _attributes(**values: int) -> Callable[[Cli, Emulator], object]:
    def set_on(_: Cli, emulator: Emulator) -> None:
        from mns.queue import QueueMeta

        meta = QueueMeta(**values)
        with account(emulator) as owner:
            owner.get_queue("config-events").set_attributes(meta)

    return set_on


def _resubscribed(**values: str) -> Callable[[Cli, Emulator], object]:
    def subscribe(_: Cli, emulator: Emulator) -> None:
        from mns.subscription import SubscriptionMeta

        known = emulator.endpoints
        wanted = {
            "endpoint": f"acs:mns:{known.region}:{known.account_id}:queues/config-events",
            "notify_content_format": "SIMPLIFIED",
            **values,
        }
        with account(emulator) as owner:
            subscription = owner.get_topic("config-topic").get_subscription("config-events-subscription")
            subscription.unsubscribe()
            subscription.subscribe(SubscriptionMeta(notify_strategy="BACKOFF_RETRY", **wanted))

    return subscribe


def _small_topic(_: Cli, emulator: Emulator) -> None:
    from mns.topic import TopicMeta

    with account(emulator) as owner:
        owner.get_topic("config-topic").set_attributes(TopicMeta(4096))


def _another_key(cli: Cli, _: Emulator) -> None:
    cli.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "another-secret-than-the-right-one"


def _no_key(cli: Cli, _: Emulator) -> None:
    del cli.environment["ALIBABA_CLOUD_ACCESS_KEY_ID"]


FAULTS = (
    Fault(
        "configuration", _configured("slots = 16", "slots = 1"), "configuration", ("engine.slots", "engine.workers"), 2
    ),
    Fault(
        "shared store",
        _configured("[retry]\n", '[shared]\nurl = "redis://127.0.0.1:1/0"\n\n[retry]\n'),
        "shared store",
        ("redis://127.0.0.1:1/0", "refused", "shared.url", "REMEDIATOR_SHARED_PASSWORD"),
    ),
    Fault("no credentials", _no_key, "credentials", ("no credentials", "ALIBABA_CLOUD_ACCESS_KEY_ID")),
    Fault("wrong key", _another_key, "authentication", ("SignatureDoesNotMatch", "access key or role")),
    Fault("clock", lambda _, emulator: emulator.advance(1200), "clock", ("behind", "NTP")),
    Fault(
        "unreachable",
        lambda cli, emulator: cli.replace(emulator.mns, _closed_port()),
        "mns endpoint",
        ("refused", "queue.endpoint"),
    ),
    Fault(
        "oss unreachable",
        lambda cli, emulator: cli.replace(emulator.oss, _closed_port()),
        "oss endpoint",
        ("refused", "oss.endpoints"),
    ),
    Fault(
        "not TLS",
        lambda cli, emulator: cli.replace(emulator.mns, emulator.mns.replace("http:", "https:")),
        "mns endpoint",
        ("(tls)", "SSL_CERT_FILE"),
    ),
    Fault(
        "another server",
        lambda cli, emulator: cli.replace(emulator.mns, emulator.control.url),
        "mns endpoint",
        ("not the service", "queue.endpoint"),
    ),
    Fault("queue", _configured('name = "config-events"', 'name = "other"'), "queue", ("'other'", "queue.name")),
    Fault(
        "dead-letter queue",
        _configured('queue = "config-events-dead"', 'queue = "dead"'),
        "dead-letter queue",
        ("'dead'", "queue.dead_letter_queue"),
    ),
    Fault("topic", _configured('name = "config-topic"', 'name = "none"'), "topic", ("'none'", "topic.name")),
    Fault(
        "subscription",
        _configured('"config-events-subscription"', '"none"'),
        "subscription",
        ("'none'", "topic.subscription"),
    ),
    Fault("visibility", _attributes(vis_timeout=5), "queue visibility", ("5 s", "VisibilityTimeout")),
    Fault("topic size", _small_topic, "topic size", ("4096", "8192")),
    Fault("queue size", _attributes(max_msg_size=10_000), "queue size", ("10000", "65536")),
    Fault(
        "endpoint",
        _resubscribed(endpoint="acs:mns:cn-hangzhou:1234567890123456:queues/config-events-dead"),
        "subscription endpoint",
        ("config-events-dead", "topic.subscription"),
    ),
    Fault("filter", _resubscribed(filter_tag="prod"), "subscription filter", ("'prod'", "without a filter")),
    Fault("no right to attributes", _refused("GetQueueAttributes"), "queue", ("mns:GetQueueAttributes", "ram-policy")),
    Fault("no right to topics", _refused("GetTopicAttributes"), "topic", ("mns:GetTopicAttributes", "grant")),
    Fault(
        "no right to hide",
        _refused("ChangeMessageVisibility"),
        "queue permissions",
        ("mns:ChangeMessageVisibility", "grant"),
    ),
    Fault("no right to delete", _refused("BatchDeleteMessage"), "queue permissions", ("mns:DeleteMessage", "grant")),
    Fault(
        "no right to look",
        _refused("GetBucketInfo", service="oss"),
        "oss",
        ("oss:GetBucketInfo", "ram-policy"),
    ),
    Fault(
        "no right of a rule",
        _refused("GetBucketPolicy", service="oss"),
        "rule permissions",
        ("oss:GetBucketPolicy", "public-read"),
    ),
    Fault(
        "regions",
        lambda cli, emulator: (
            cli.replace("[oss]\n", "[oss]\ninternal = true\n"),
            cli.replace('"*" =', f'"{emulator.endpoints.region}" ='),
            cli.replace('config_rule_ids = ["cr-read"]', 'regions = ["cn-beijing"]\nconfig_rule_ids = ["cr-read"]'),
        ),
        "regions",
        ("cn-beijing", "oss.internal"),
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_gives_its_own_message_and_remedy(fault: Fault, cli: Cli, channel: Emulator) -> None:
    """One fault, one failure, with the key to change or the action to grant."""
    channel.create_buckets(["probe"], acl="private")
    fault.inject(cli, channel)
    result = checked(cli, "--probe-bucket", "probe")
    found = failures(result)
    if fault.name == "regions":  # the internal host of another region cannot be reached from here either
        found.pop("oss endpoint", None)
    assert list(found) == [fault.check], result.document
    assert all(word in found[fault.check] for word in fault.says), found
    assert result.status == fault.status


def test_observing_without_a_memory_is_a_warning(cli: Cli) -> None:
    """Whoever deletes what was observed relies on catch-up, so something has to say that it runs."""
    cli.replace('mode = "observe"', 'mode = "observe"\nobserved = "delete"')

    def warned() -> list[str]:
        found = cli.run("check", "--output", "json").document
        return [each["message"] for each in found if each["check"] == "observed"]

    (said,) = warned()
    assert "public-write deletes what it has observed" in said
    cli.replace("[oss]\n", "[catch_up]\nexpected_within_seconds = 43200\n\n[oss]\n")
    assert warned() == []


def test_catch_up_is_looked_at_where_it_is_expected(cli: Cli, channel: Emulator) -> None:
    """Whether its rules are there, which only Cloud Config can say; a missing right may be another role's to have."""
    pytest.importorskip("alibabacloud_config20200907")

    def said() -> list[tuple[str, str]]:
        found = cli.run("check", "--output", "json").document
        return [(each["status"], each["message"]) for each in found if each["check"] == "catch-up"]

    assert said() == []
    cli.configure(
        more=f'\n[reevaluate]\nendpoint = "{channel.control.url}"\n\n[catch_up]\nexpected_within_seconds = 43200\n'
    )
    assert said() == [("ok", "rules of Cloud Config that are listed: 2")]
    fault = channel.faults.add("error", "ListConfigRules", status=403, code="NoPermission")
    ((status, text),) = said()
    assert (status, "NoPermission" in text) == ("skipped", True)
    channel.faults.remove(fault)
    fault = channel.faults.add("error", "ListConfigRules", status=403, code="InvalidAccessKeyId.NotFound")
    (refused,) = [each for each in cli.run("check", "-o", "json").document if each["check"] == "catch-up"]
    assert refused["status"] == "failed"
    assert all(part in refused["remedy"] for part in ("access key", "reevaluate.region", "reevaluate.endpoint"))
    channel.faults.remove(fault)
    cli.replace("cr-write", "cr-nobody")
    assert said() == [
        ("warning", "Cloud Config has no rule that public-write takes, so nothing is listed for it"),
        ("ok", "rules of Cloud Config that are listed: 1"),
    ]


def test_no_secret_is_part_of_what_is_reported(cli: Cli) -> None:
    """The access key's id is named, its secret never."""
    result = cli.run("check")
    assert cli.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] not in result.out + result.err
