"""The shape of every message, field by field against the published samples."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.cloudconfig.configuration import BucketConfiguration
from emulator.cloudconfig.events import (
    ChangeType,
    NonCompliance,
    Trigger,
    Variant,
    non_compliance,
    resource_change,
    snapshot_delivery,
)
from emulator.cloudconfig.rules import configured
from emulator.cloudconfig.verdict import Annotation

_ANNOTATION = Annotation("public-read", "read", "NotContains", "$.AccessControlList.Grant")
_FACT = NonCompliance(
    resource=BucketConfiguration("config-snapshot", "1698272328540000", "ap-southeast-1", 1630907917.0),
    account_id="1208863178610000",
    rule=configured("oss-bucket-public-read-prohibited", rule_id="cr-1", name="自定义"),
    annotation=_ANNOTATION,
    trigger=Trigger.CHANGE,
    evaluated_ms=1630907917476,
    created_ms=1630907919929,
    request_id="a13f5505-427d-41ef-ab2e-606394abb9a8",
)


def _shape(value: Any) -> Any:
    """A message with its values replaced by their JSON types."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return type(value).__name__


_QUALIFIER_CURRENT = {
    "resourceId": "str",
    "configRuleName": "str",
    "configRuleId": "str",
    "captureTime": "int",
    "resourceName": "str",
    "configRuleArn": "str",
    "regionId": "str",
    "resourceOwnerId": "int",
    "resourceType": "str",
}
_QUALIFIER_2021 = {name: kind for name, kind in _QUALIFIER_CURRENT.items() if name != "captureTime"}
_CURRENT = {
    "annotation": "str",
    "riskLevel": "str",
    "dataType": "str",
    "evaluationResultIdentifier": {"orderingTimestamp": "int", "evaluationResultQualifier": _QUALIFIER_CURRENT},
    "eventType": "str",
    "invokingEventMessageType": "str",
    "complianceType": "str",
    "accountId": "int",
    "requestId": "str",
    "eventName": "str",
    "notificationCreationTime": "int",
}
_FORM_2021 = {
    "annotation": "str",
    "accountId": "int",
    "riskLevel": "str",
    "resultRecordedTimestamp": "int",
    "eventName": "str",
    "evaluationResultIdentifier": {"orderingTimestamp": "int", "evaluationResultQualifier": _QUALIFIER_2021},
    "eventType": "str",
    "invokingEventMessageType": "str",
    "configRuleInvokedTimestamp": "int",
    "notificationCreationTime": "int",
    "complianceType": "str",
}
_QUALIFIER_OLDEST = {
    name: kind for name, kind in _QUALIFIER_2021.items() if name not in ("resourceName", "regionId", "resourceOwnerId")
}
_SHAPES = {
    Variant.CURRENT: _CURRENT,
    Variant.FORM_2021: _FORM_2021,
    Variant.OLDEST: {
        **_FORM_2021,
        "evaluationResultIdentifier": {"orderingTimestamp": "int", "evaluationResultQualifier": _QUALIFIER_OLDEST},
    },
    Variant.LOG_SERVICE: {
        **_CURRENT,
        "annotation": {"configuration": "str", "desiredValue": "str", "operator": "str", "property": "str"},
        "accountId": "str",
        "notificationCreationTime": "str",
        "lastNonCompliantRecordTimestamp": "str",
        "evaluationResultIdentifier": {
            "orderingTimestamp": "int",
            "evaluationResultQualifier": {
                **_QUALIFIER_CURRENT,
                "sourceIdentifier": "str",
                "compliancePackId": "str",
                "resourceArn": "str",
                "resourceGroupId": "str",
            },
        },
    },
}


@pytest.mark.parametrize("variant", list(_SHAPES))
def test_a_variant_has_exactly_the_published_fields(variant: Variant) -> None:
    """Names and JSON types as on the documentation page, none more and none less."""
    published = json.loads(json.dumps(non_compliance(_FACT, variant)))
    assert _shape(published) == _SHAPES[variant]


@pytest.mark.parametrize("variant", list(Variant))
def test_every_variant_tells_the_same_fact(variant: Variant) -> None:
    """Bucket, rule and kind of event can be read from each form."""
    event = non_compliance(_FACT, variant)
    event = event.get("data", event)
    qualifier = event["evaluationResultIdentifier"]["evaluationResultQualifier"]
    assert (qualifier["resourceId"], qualifier["configRuleId"]) == ("config-snapshot", "cr-1")
    assert qualifier["resourceType"] == "ACS::OSS::Bucket"
    assert (event["eventType"], event["eventName"]) == ("ResourceCompliance", "NonCompliant")
    assert event["complianceType"] == "NON_COMPLIANT"


def test_the_current_form_in_full() -> None:
    """Values stand where the sample has them; the annotation is a string that holds JSON."""
    event = non_compliance(_FACT, Variant.CURRENT)
    qualifier = event["evaluationResultIdentifier"]["evaluationResultQualifier"]
    assert json.loads(event["annotation"])["configuration"] == "public-read"
    assert event["riskLevel"] == "Critical"
    assert event["accountId"] == 1698272328540000
    assert event["invokingEventMessageType"] == "ConfigurationItemChangeNotification"
    assert qualifier["configRuleArn"] == "acs:config::1208863178610000:rule/cr-1"
    assert qualifier["configRuleName"] == "自定义"
    assert qualifier["captureTime"] == event["evaluationResultIdentifier"]["orderingTimestamp"] == 1630907917476
    assert event["notificationCreationTime"] == 1630907919929


def test_what_older_forms_write_differently() -> None:
    """The ARN once said config-rule, and the oldest annotation was plain text."""
    form_2021 = non_compliance(_FACT, Variant.FORM_2021)
    arn = form_2021["evaluationResultIdentifier"]["evaluationResultQualifier"]["configRuleArn"]
    assert arn == "acs:config::1208863178610000:config-rule/cr-1"
    oldest = non_compliance(_FACT, Variant.OLDEST)
    assert not oldest["annotation"].startswith("{")
    assert oldest["invokingEventMessageType"] == "ScheduledNotification"


def test_the_log_service_form_carries_the_identifier() -> None:
    """Only there does a consumer learn which managed rule it was."""
    event = non_compliance(_FACT, Variant.LOG_SERVICE)
    qualifier = event["evaluationResultIdentifier"]["evaluationResultQualifier"]
    assert qualifier["sourceIdentifier"] == "oss-bucket-public-read-prohibited"


def test_event_bridge_wraps_the_event() -> None:
    """A CloudEvents envelope; the capture time inside is a string."""
    event = non_compliance(_FACT, Variant.EVENT_BRIDGE)
    assert (event["specversion"], event["source"]) == ("1.0", "acs.config")
    assert event["type"] == "config:Config:NonCompliantNotification"
    qualifier = event["data"]["evaluationResultIdentifier"]["evaluationResultQualifier"]
    assert qualifier["captureTime"] == "1630907917476"


def test_a_resource_change_carries_the_snapshot() -> None:
    """Access-log settings stand under BucketPolicy, as in the sample."""
    bucket = BucketConfiguration("b", "42", "cn-beijing", 1.5, log_bucket="logs", log_prefix="p/", tags=(("a", "b"),))
    event = resource_change(bucket, ChangeType.DISCOVERED, 1000)
    assert (event["eventType"], event["eventName"]) == ("ResourceChange", "ResourceAdd")
    assert event["dataType"] == "ConfigurationItemChangeNotification"
    assert event["configurationItemDiff"]["changeType"] == "DISCOVERED"
    item = event["configurationItem"]
    assert (item["accountId"], item["resourceId"], item["resourceCreateTime"]) == (42, "b", 1500)
    assert item["configuration"]["BucketPolicy"] == {"LogPrefix": "p/", "LogBucket": "logs"}
    assert item["configuration"]["ServerSideEncryptionRule"] == {"SSEAlgorithm": "None"}
    assert item["configuration"]["Location"] == "oss-cn-beijing"


def test_snapshot_delivery_says_why_it_failed() -> None:
    """Success has no cause, failure has one."""
    assert set(snapshot_delivery(1)) == {"requestId", "eventName", "eventType", "notificationCreationTime"}
    failed = snapshot_delivery(1, "NoSuchBucket")
    assert (failed["eventName"], failed["errorCause"]) == ("SnapshotDeliveryFailed", "NoSuchBucket")
