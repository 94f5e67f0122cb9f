"""Queue bodies as Cloud Config and MNS have sent them over the years, and the envelopes around them."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

ACCOUNT = "1698272328540001"
EVALUATED_AT_MS = 1_630_907_917_476
NOTIFIED_AT_MS = 1_630_907_919_929

Document = dict[str, Any]

CURRENT: Document = {
    "annotation": '{"configuration":"public-read","desiredValue":"read","operator":"NotContains"}',
    "riskLevel": "Warning",
    "dataType": "NonCompliantNotification",
    "evaluationResultIdentifier": {
        "orderingTimestamp": EVALUATED_AT_MS,
        "evaluationResultQualifier": {
            "resourceId": "a-public-bucket",
            "configRuleName": "使用专有网络类型的存储桶",
            "configRuleId": "cr-b9046457e0d9003f0001",
            "captureTime": EVALUATED_AT_MS,
            "resourceName": "a-public-bucket",
            "configRuleArn": f"acs:config::{ACCOUNT}:rule/cr-b9046457e0d9003f0001",
            "regionId": "cn-beijing",
            "resourceOwnerId": int(ACCOUNT),
            "resourceType": "ACS::OSS::Bucket",
        },
    },
    "eventType": "ResourceCompliance",
    "invokingEventMessageType": "Manual",
    "complianceType": "NON_COMPLIANT",
    "accountId": int(ACCOUNT),
    "requestId": "a13f5505-427d-41ef-ab2e-606394abb9a8",
    "eventName": "NonCompliant",
    "notificationCreationTime": NOTIFIED_AT_MS,
}


def changed(document: Document, path: str, value: Any) -> Document:
    """A copy of the document with the value at a dotted path replaced."""
    result = copy.deepcopy(document)
    *parents, last = path.split(".")
    target = result
    for key in parents:
        target = target[key]
    target[last] = value
    return result


def without(document: Document, path: str) -> Document:
    """A copy of the document without the key at a dotted path."""
    result = copy.deepcopy(document)
    *parents, last = path.split(".")
    target = result
    for key in parents:
        target = target[key]
    target.pop(last, None)
    return result


QUALIFIER = "evaluationResultIdentifier.evaluationResultQualifier"


def _form_2021() -> Document:
    document = CURRENT
    for absent in ("dataType", "requestId", f"{QUALIFIER}.captureTime"):
        document = without(document, absent)
    document = changed(document, "resultRecordedTimestamp", NOTIFIED_AT_MS)
    document = changed(document, "configRuleInvokedTimestamp", EVALUATED_AT_MS)
    return changed(document, f"{QUALIFIER}.configRuleArn", f"acs:config::{ACCOUNT}:config-rule/cr-610ad6e0007300a80001")


def _oldest_form() -> Document:
    document = changed(_form_2021(), "annotation", "Not encrypt disk.")
    document = changed(document, "invokingEventMessageType", "ScheduledNotification")
    return without(without(document, f"{QUALIFIER}.resourceName"), f"{QUALIFIER}.regionId")


def _sls_form() -> Document:
    document = changed(CURRENT, "annotation", json.loads(CURRENT["annotation"]))
    document = changed(document, "accountId", ACCOUNT)
    document = changed(document, "notificationCreationTime", str(NOTIFIED_AT_MS))
    document = changed(document, "lastNonCompliantRecordTimestamp", str(NOTIFIED_AT_MS))
    document = changed(document, "configAggregators", None)
    return changed(document, f"{QUALIFIER}.sourceIdentifier", "oss-bucket-public-read-prohibited")


def _eventbridge_form() -> Document:
    return {
        "id": "45ef4dewdwe1-7c35-447a-bd93-fab",
        "source": "acs.config",
        "specversion": "1.0",
        "subject": f"acs:config:cn-beijing:{ACCOUNT}:a-public-bucket",
        "time": "2021-09-06T13:58:39Z",
        "type": "config:Config:NonCompliantNotification",
        "aliyunaccountid": ACCOUNT,
        "datacontenttype": "application/json",
        "data": changed(CURRENT, f"{QUALIFIER}.captureTime", str(EVALUATED_AT_MS)),
    }


VARIANTS: dict[str, Document] = {
    "current": CURRENT,
    "2021": _form_2021(),
    "oldest": _oldest_form(),
    "sls": _sls_form(),
    "eventbridge": _eventbridge_form(),
}


def text_of(document: Any) -> str:
    """The JSON of a document as Cloud Config prints it: not escaped to ASCII."""
    return json.dumps(document, ensure_ascii=False)


def base64_of(text: str) -> str:
    """Base64 of UTF-8 text."""
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def xml_envelope(message: str) -> str:
    """An XML push to a queue."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<Notification xmlns="http://mns.aliyuncs.com/doc/v1/">'
        f"<TopicOwner>{ACCOUNT}</TopicOwner><TopicName>config</TopicName>"
        f"<Subscriber>{ACCOUNT}</Subscriber><SubscriptionName>worker</SubscriptionName>"
        f"<MessageId>6CC4D900CA59A2CD-1-15180534A8F-20000000F</MessageId><Message>{escape(message)}</Message>"
        "<MessageMD5>F1E92841751D795AB325861034B5CC55</MessageMD5><MessageTag>important</MessageTag>"
        "<PublishTime>1630907919929</PublishTime></Notification>"
    )


def json_envelope(message: str) -> str:
    """A JSON push to a queue."""
    return text_of(
        {
            "TopicOwner": ACCOUNT,
            "TopicName": "config",
            "Subscriber": ACCOUNT,
            "SubscriptionName": "worker",
            "MessageId": "6CC4D900CA59A2CD-1-15180534A8F-20000000F",
            "Message": message,
            "MessageMD5": "F1E92841751D795AB325861034B5CC55",
            "MessageTag": "important",
            "PublishTime": "1630907919929",
        }
    )


def simplified(message: str) -> str:
    """A SIMPLIFIED push: the body is what was published."""
    return message


ENVELOPES: dict[str, Callable[[str], str]] = {"xml": xml_envelope, "json": json_envelope, "simplified": simplified}

ENCODINGS: dict[str, Callable[[str, Callable[[str], str]], str]] = {
    "plain": lambda text, envelope: envelope(text),
    "base64": lambda text, envelope: envelope(base64_of(text)),
    "envelope_in_base64": lambda text, envelope: base64_of(envelope(text)),
    "base64_twice": lambda text, envelope: base64_of(envelope(base64_of(text))),
}


def event_body(**fields: Any) -> str:
    """The current form, plain, with the qualifier's or the event's own fields replaced by name."""
    document = CURRENT
    for key, value in fields.items():
        if key == "orderingTimestamp":
            document = changed(document, f"evaluationResultIdentifier.{key}", value)
        elif key in CURRENT:
            document = changed(document, key, value)
        else:
            document = changed(document, f"{QUALIFIER}.{key}", value)
    return text_of(document)
