"""The messages Cloud Config delivers to a topic, in every published form; pure: facts in, JSON object out.

Sources: the documentation pages "Example of a resource non-compliance event" (current form), their 2021 and 2020
predecessors, the Log Service and EventBridge forms of the same event, and "Resource change events".
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, assert_never

from emulator.cloudconfig.configuration import Configuration
from emulator.cloudconfig.rules import Rule
from emulator.cloudconfig.verdict import Annotation

Event = dict[str, Any]


class Variant(StrEnum):
    """The published forms of the non-compliance event."""

    CURRENT = "current"
    FORM_2021 = "2021"
    OLDEST = "oldest"
    """Annotation in plain text; neither region nor resource name."""
    LOG_SERVICE = "log-service"
    """Annotation as an object, ids and times as strings, and the rule's identifier."""
    EVENT_BRIDGE = "event-bridge"
    """The current form inside a CloudEvents envelope."""


class Trigger(StrEnum):
    """Why a rule was evaluated, in the service's words."""

    CHANGE = "ConfigurationItemChangeNotification"
    SCHEDULE = "ScheduledNotification"
    MANUAL = "Manual"


class ChangeType(StrEnum):
    """What happened to a resource."""

    DISCOVERED = "DISCOVERED"
    MODIFY = "MODIFY"
    REMOVE = "REMOVE"


@dataclass(frozen=True, slots=True)
class NonCompliance:
    """The facts behind one non-compliance event."""

    resource: Configuration
    account_id: str
    """The account whose rule found it; a management account's rules find members' resources too."""
    rule: Rule
    annotation: Annotation
    trigger: Trigger
    evaluated_ms: int
    created_ms: int
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def non_compliance(fact: NonCompliance, variant: Variant) -> Event:
    """One event in the wanted form."""
    match variant:
        case Variant.CURRENT:
            return _current(fact)
        case Variant.FORM_2021:
            return _form_2021(fact)
        case Variant.OLDEST:
            return _oldest(fact)
        case Variant.LOG_SERVICE:
            return _log_service(fact)
        case Variant.EVENT_BRIDGE:
            return _event_bridge(fact)
        case _:
            assert_never(variant)


def _current(fact: NonCompliance) -> Event:
    return {
        "annotation": fact.annotation.as_text(),
        "riskLevel": fact.rule.risk_level,
        "dataType": "NonCompliantNotification",
        "evaluationResultIdentifier": {
            "orderingTimestamp": fact.evaluated_ms,
            "evaluationResultQualifier": {
                "resourceId": fact.resource.id,
                "configRuleName": fact.rule.name,
                "configRuleId": fact.rule.id,
                "captureTime": fact.evaluated_ms,
                "resourceName": fact.resource.name,
                "configRuleArn": f"acs:config::{fact.account_id}:rule/{fact.rule.id}",
                "regionId": fact.resource.region,
                "resourceOwnerId": account_number(fact.resource.owner_id),
                "resourceType": fact.resource.resource_type,
            },
        },
        "eventType": "ResourceCompliance",
        "invokingEventMessageType": fact.trigger,
        "complianceType": "NON_COMPLIANT",
        "accountId": account_number(fact.resource.owner_id),
        "requestId": fact.request_id,
        "eventName": "NonCompliant",
        "notificationCreationTime": fact.created_ms,
    }


def _form_2021(fact: NonCompliance) -> Event:
    qualifier = _qualifier(_current(fact))
    del qualifier["captureTime"]
    qualifier["configRuleArn"] = f"acs:config::{fact.account_id}:config-rule/{fact.rule.id}"
    return {
        "annotation": fact.annotation.as_text(),
        "accountId": account_number(fact.resource.owner_id),
        "riskLevel": fact.rule.risk_level,
        "resultRecordedTimestamp": fact.created_ms,
        "eventName": "NonCompliant",
        "evaluationResultIdentifier": {
            "orderingTimestamp": fact.evaluated_ms,
            "evaluationResultQualifier": qualifier,
        },
        "eventType": "ResourceCompliance",
        "invokingEventMessageType": fact.trigger,
        "configRuleInvokedTimestamp": fact.evaluated_ms,
        "notificationCreationTime": fact.created_ms,
        "complianceType": "NON_COMPLIANT",
    }


def _oldest(fact: NonCompliance) -> Event:
    event = _form_2021(fact)
    event["annotation"] = f"Grant is {fact.annotation.configuration}."
    event["invokingEventMessageType"] = Trigger.SCHEDULE
    qualifier = _qualifier(event)
    for absent in ("resourceName", "regionId", "resourceOwnerId"):
        del qualifier[absent]
    return event


def _log_service(fact: NonCompliance) -> Event:
    event = _current(fact)
    event["annotation"] = fact.annotation.as_object()
    event["accountId"] = fact.resource.owner_id
    event["notificationCreationTime"] = str(fact.created_ms)
    event["lastNonCompliantRecordTimestamp"] = str(fact.evaluated_ms)
    _qualifier(event).update(
        sourceIdentifier=fact.rule.managed.identifier,
        compliancePackId="cp-00000000000000000000",
        resourceArn=fact.resource.arn,
        resourceGroupId="rg-acfmw00000000000",
    )
    return event


def _event_bridge(fact: NonCompliance) -> Event:
    data = _current(fact)
    _qualifier(data)["captureTime"] = str(fact.evaluated_ms)
    time = datetime.fromtimestamp(fact.created_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "datacontenttype": "application/json;charset=utf-8",
        "data": data,
        "subject": f"acs.config:{fact.resource.region}:{fact.account_id}:{fact.rule.id}",
        "source": "acs.config",
        "type": "config:Config:NonCompliantNotification",
        "aliyunpublishtime": time,
        "specversion": "1.0",
        "aliyuneventbusname": "default",
        "id": fact.request_id,
        "time": time,
        "aliyunregionid": fact.resource.region,
        "aliyunaccountid": fact.account_id,
    }


def resource_change(resource: Configuration, change: ChangeType, now_ms: int) -> Event:
    """The message that follows any change of a resource, when the channel delivers those."""
    names = {
        ChangeType.DISCOVERED: "ResourceAdd",
        ChangeType.MODIFY: "ResourceModify",
        ChangeType.REMOVE: "ResourceRemove",
    }
    return {
        "requestId": str(uuid.uuid4()),
        "dataType": "ConfigurationItemChangeNotification",
        "eventName": names[change],
        "eventType": "ResourceChange",
        "notificationCreationTime": now_ms,
        "configurationItemDiff": {"changedProperties": {}, "changeType": change},
        "configurationItem": {
            "accountId": account_number(resource.owner_id),
            "resourceId": resource.id,
            "resourceName": resource.name,
            "resourceType": resource.resource_type,
            "regionId": resource.region,
            "availabilityZone": "",
            "resourceCreateTime": int(resource.created * 1000),
            "resourceStatus": "",
            "captureTime": now_ms,
            "tags": {key: [value] for key, value in resource.tags},
            "configuration": resource.as_snapshot(),
        },
    }


def snapshot_delivery(now_ms: int, error_cause: str | None = None) -> Event:
    """The message that follows the delivery of a snapshot, or its failure."""
    event: Event = {
        "requestId": str(uuid.uuid4()),
        "eventName": "SnapshotDeliverySuccess" if error_cause is None else "SnapshotDeliveryFailed",
        "eventType": "SnapshotDelivery",
        "notificationCreationTime": now_ms,
    }
    if error_cause is not None:
        event["errorCause"] = error_cause
    return event


def _qualifier(event: Event) -> Event:
    qualifier: Event = event["evaluationResultIdentifier"]["evaluationResultQualifier"]
    return qualifier


def account_number(account_id: str) -> int | str:
    """Account ids are JSON integers in these messages."""
    return int(account_id) if account_id.isdecimal() else account_id
