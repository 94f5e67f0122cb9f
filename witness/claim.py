"""What a message asks for, worked out from its body without any code of the worker. Pure.

Three answers are possible: it is an event about a bucket, it is something else that is well-formed, or it is neither.
Only what decides about a deletion is read.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from witness.security_groups import GROUP_TYPE

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)
_GROUP_ID = re.compile(r"sg-[A-Za-z0-9][A-Za-z0-9-]{0,59}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,16}(-[a-z0-9]{1,16}){0,5}", re.ASCII)
_DEEPEST = 3
"""An envelope in an envelope is the most that any service makes."""


@dataclass(frozen=True, slots=True)
class EventClaim:
    """Some evaluation found this bucket or security group non-compliant."""

    bucket: str
    """Its name, or the group's id."""
    marks: frozenset[str]
    """Rule id, rule identifier and rule name, as far as they are there."""
    account_id: str
    resource_type: str
    evaluated_ms: int
    notified_ms: int
    sound: bool
    """Whether every field has the form that the service gives it."""

    @property
    def order(self) -> tuple[int, int]:
        """Later is newer."""
        return self.evaluated_ms, self.notified_ms


@dataclass(frozen=True, slots=True)
class OtherClaim:
    """A well-formed message that reports no non-compliance."""

    kind: str


@dataclass(frozen=True, slots=True)
class NoClaim:
    """The body says nothing that can be understood."""

    reason: str


Claim = EventClaim | OtherClaim | NoClaim


def claim_of(body: str) -> Claim:
    """What a body asks for: as published, or as it stands in the queue."""
    found = _object(body, _DEEPEST)
    return NoClaim("not a JSON object") if found is None else claim_of_event(found)


def claim_of_event(found: dict[str, Any]) -> Claim:
    """What an event object asks for; EventBridge's wrapping is taken off."""
    inner = found.get("data")
    if isinstance(inner, dict) and "specversion" in found:
        found = inner
    kind = _other_kind(found)
    if kind:
        return OtherClaim(kind)
    result = found.get("evaluationResultIdentifier")
    qualifier = result.get("evaluationResultQualifier") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(qualifier, dict):
        return NoClaim("no evaluation result")
    return _event(found, result, qualifier)


def _event(found: dict[str, Any], result: dict[str, Any], qualifier: dict[str, Any]) -> Claim:
    bucket, region = qualifier.get("resourceId"), qualifier.get("regionId", "")
    account = str(qualifier.get("resourceOwnerId", found.get("accountId", "")))
    evaluated = _milliseconds(result.get("orderingTimestamp"))
    notified = _milliseconds(found.get("notificationCreationTime", evaluated))
    named = [qualifier[key] for key in ("configRuleId", "sourceIdentifier", "configRuleName") if key in qualifier]
    sound = (
        isinstance(bucket, str)
        and isinstance(region, str)
        and _names_a_resource(str(qualifier.get("resourceType")), bucket, region)
        and (not region or _REGION.fullmatch(region) is not None)
        and account.isdecimal()
        and evaluated > 0
        and notified > 0
        and all(name is None or isinstance(name, str) for name in named)
    )
    return EventClaim(
        bucket=str(bucket),
        marks=frozenset(name for name in named if isinstance(name, str) and name),
        account_id=account,
        resource_type=str(qualifier.get("resourceType")),
        evaluated_ms=evaluated,
        notified_ms=notified,
        sound=sound,
    )


def _names_a_resource(resource_type: str, resource_id: str, region: str) -> bool:
    """Whether there can be such a resource; a security group is only to be found in a region."""
    if resource_type == GROUP_TYPE:
        return _GROUP_ID.fullmatch(resource_id) is not None and bool(region)
    return _BUCKET_NAME.fullmatch(resource_id) is not None


def _other_kind(found: dict[str, Any]) -> str:
    kind, name, compliance = (found.get(key) for key in ("eventType", "eventName", "complianceType"))
    if isinstance(kind, str) and kind and kind != "ResourceCompliance":
        return kind
    if kind is None and isinstance(name, str) and name and name != "NonCompliant":
        return name
    if isinstance(compliance, str) and compliance and compliance != "NON_COMPLIANT":
        return compliance
    return "ResourceChange" if "ConfigurationDiff" in found else ""


def _milliseconds(value: object) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def _object(text: str, depth: int) -> dict[str, Any] | None:
    """The JSON object inside a body, whatever is wrapped around it."""
    if depth < 0:
        return None
    found = _json(text)
    if isinstance(found, dict):
        message = found.get("Message")
        return _object(message, depth - 1) if isinstance(message, str) and "TopicName" in found else found
    if text.lstrip().startswith("<"):
        message = _xml_message(text)
        return None if message is None else _object(message, depth - 1)
    decoded = _base64(text)
    return None if decoded is None else _object(decoded, depth - 1)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _xml_message(text: str) -> str | None:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ET.fromstring(text.encode())  # noqa: S314 - no document type gets here
    except ET.ParseError:
        return None
    return next((child.text or "" for child in root if child.tag.rpartition("}")[2] == "Message"), None)


def _base64(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
