"""Events: every form ever delivered becomes the same record, and every other message its kind."""

from __future__ import annotations

import pytest

from consumer.core.errors import InvalidMessage
from consumer.core.event import Event, OtherMessage, decode
from tests.unit.bodies import (
    ACCOUNT,
    CURRENT,
    ENCODINGS,
    ENVELOPES,
    EVALUATED_AT_MS,
    NOTIFIED_AT_MS,
    VARIANTS,
    base64_of,
    changed,
    event_body,
    text_of,
    without,
    xml_envelope,
)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_every_delivered_form_is_the_same_event(envelope: str, encoding: str, variant: str) -> None:
    """Whatever year and subscription format it comes from, the event names the same resource, rule and moment."""
    event = decode(ENCODINGS[encoding](text_of(VARIANTS[variant]), ENVELOPES[envelope]))
    sls, oldest, dated = variant == "sls", variant == "oldest", variant in ("2021", "oldest")
    assert event == Event(
        config_rule_id="cr-b9046457e0d9003f0001",
        config_rule_name="使用专有网络类型的存储桶",
        source_identifier="oss-bucket-public-read-prohibited" if sls else "",
        resource_type="ACS::OSS::Bucket",
        resource_id="a-public-bucket",
        region="" if oldest else "cn-beijing",
        account_id=ACCOUNT,
        risk_level="warning",
        evaluated_at_ms=EVALUATED_AT_MS,
        notified_at_ms=NOTIFIED_AT_MS,
        request_id="" if dated else "a13f5505-427d-41ef-ab2e-606394abb9a8",
    )


@pytest.mark.parametrize("annotation", ["Not encrypt disk.", '{"a":1}', {"a": 1}, None, 7, ["x"], "\x00", "x" * 30_000])
def test_the_annotation_is_never_a_reason_to_refuse(annotation: object) -> None:
    """The annotation is free text, JSON text or an object: it is not needed and not judged."""
    assert isinstance(decode(event_body(annotation=annotation)), Event)


def test_fields_nobody_knows_are_ignored() -> None:
    """The service adds fields over the years."""
    assert decode(text_of(changed(CURRENT, "addedIn2031", [{}]))) == decode(text_of(CURRENT))


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"eventType": "ResourceChange", "eventName": "ResourceAdd", "configurationItem": {}}, "ResourceChange"),
        ({"eventType": "SnapshotDelivery", "eventName": "SnapshotDeliverySuccess"}, "SnapshotDelivery"),
        ({"eventType": "SnapshotDelivery", "eventName": "SnapshotDeliveryFailed", "errorCause": "NoSuchBucket"},
         "SnapshotDelivery"),
        ({"eventName": "SnapshotDeliverySuccess"}, "SnapshotDeliverySuccess"),
        ({"EventType": "ResourceChange", "ConfigurationDiff": "{}"}, "ResourceChange"),
        ({"ConfigurationDiff": "{}", "ResourceId": "i-1", "AccountId": 1}, "ResourceChange"),
        ({"eventType": "SomethingOf2031"}, "SomethingOf2031"),
        ({"eventType": "x" * 1000}, "x" * 64),
        ({"eventType": "a\nb"}, "unprintable"),
        (changed(CURRENT, "complianceType", "COMPLIANT"), "COMPLIANT"),
        (changed(CURRENT, "complianceType", "NOT_APPLICABLE"), "NOT_APPLICABLE"),
        (changed(CURRENT, "complianceType", "INSUFFICIENT_DATA"), "INSUFFICIENT_DATA"),
        (changed(CURRENT, "complianceType", "IGNORED"), "IGNORED"),
    ],
)  # fmt: skip
def test_other_messages_of_the_topic_are_named(document: dict[str, object], kind: str) -> None:
    """Changes, snapshots and compliant results are well-formed and ask for nothing."""
    for body in (text_of(document), base64_of(text_of(document)), xml_envelope(base64_of(text_of(document)))):
        assert decode(body) == OtherMessage(kind)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"requestId": "x"},
        {"hello": {"world": 1}},
        {"Message": "{}"},
        {"TopicName": "config", "Message": {"eventType": "ResourceChange"}},
        {"specversion": "1.0", "data": "text"},
        {"eventType": None, "eventName": None},
        {"eventtype": "ResourceChange"},
        without(CURRENT, "evaluationResultIdentifier"),
    ],
)
def test_an_object_of_no_kind_is_broken_and_not_something_else(document: dict[str, object]) -> None:
    """Only a kind that the message names itself lets it be deleted as not ours."""
    with pytest.raises(InvalidMessage):
        decode(text_of(document))


@pytest.mark.parametrize("kind", [7, True, [], {}, ""])
@pytest.mark.parametrize("key", ["eventType", "eventName"])
def test_a_kind_that_is_not_text_is_broken(key: str, kind: object) -> None:
    """A wrongly typed kind is no other kind."""
    with pytest.raises(InvalidMessage) as refused:
        decode(text_of({key: kind}))
    assert refused.value.reason == "wrong_type"


@pytest.mark.parametrize("result", ["non_compliant", "NON_COMPLIANT ", "", "nonsense"])
def test_a_result_that_does_not_exist_is_broken(result: str) -> None:
    """A misspelt result must not let a real event be deleted as somebody else's."""
    with pytest.raises(InvalidMessage) as refused:
        decode(event_body(complianceType=result))
    assert refused.value.reason == "wrong_value"


@pytest.mark.parametrize(
    ("given", "level"),
    [("Info", "info"), ("CRITICAL", "critical"), (1, "critical"), ("2", "warning"), (3, "info"), (True, ""), (4, ""),
     ("High", ""), (None, ""), ([], "")],
)  # fmt: skip
def test_risk_levels_are_words_or_nothing(given: object, level: str) -> None:
    """The API's numbers and the event's words are the same three levels; anything else is none."""
    event = decode(event_body(riskLevel=given))
    assert isinstance(event, Event)
    assert event.risk_level == level


@pytest.mark.parametrize("name", ["存储桶\u3000公开", "no\u00a0break", "👩\u200d💻 team", "حاوية\u200f", " "])
def test_a_display_name_may_be_in_any_script(name: str) -> None:
    """Ideographic spaces and joiners belong to localised names and cost no event."""
    event = decode(event_body(configRuleName=name))
    assert isinstance(event, Event)
    assert event.config_rule_name == name


def test_what_a_display_name_could_do_to_a_terminal_is_taken_out() -> None:
    """Controls, line separators and lone surrogates in a name are replaced; the event stays good."""
    event = decode('{"\\ud800":1,' + event_body(configRuleName="a\x1b[2J\n\u2028b\x00")[1:])
    assert isinstance(event, Event)
    assert event.config_rule_name == "a\ufffd[2J\ufffd\ufffdb\ufffd"


def test_the_owner_of_the_resource_counts_before_the_reporter() -> None:
    """A management account reports for its members: the account is the resource's owner."""
    event = decode(event_body(resourceOwnerId="100200300400", accountId=5_000_600_070))
    assert isinstance(event, Event)
    assert event.account_id == "100200300400"


def test_without_an_owner_the_reporter_counts() -> None:
    """The oldest events name only the reporting account."""
    event = decode(text_of(without(CURRENT, "evaluationResultIdentifier.evaluationResultQualifier.resourceOwnerId")))
    assert isinstance(event, Event)
    assert event.account_id == ACCOUNT


def test_without_a_notification_time_the_evaluation_counts() -> None:
    """An event that was notified at no known time was notified when it was evaluated."""
    event = decode(text_of(without(CURRENT, "notificationCreationTime")))
    assert isinstance(event, Event)
    assert event.notified_at_ms == event.evaluated_at_ms == EVALUATED_AT_MS
