"""Decodes a queue body into a validated non-compliance event, or says what else it is.

Cloud Config has sent several shapes over the years: ids and times as numbers or as text, an annotation that is text, a
JSON string or an object, with and without a source identifier. This module accepts them all and turns every field
into one type, once; nothing else in the worker sees a raw body. What comes out has safe syntax, and that is all that
is promised: whether a rule wants it and whether the account is ours is decided later. Pure.

Events: https://www.alibabacloud.com/help/en/cloud-config/latest/events-example-of-resource-non-compliance-events
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from unicodedata import category

from consumer.core.envelope import JsonObject, unwrap
from consumer.core.errors import InvalidMessage

REGION = re.compile(r"(?=[a-z0-9-]{2,45}\Z)[a-z]{2,16}(-[a-z0-9]{1,16}){0,5}", re.ASCII)
"""A region id such as `cn-hangzhou`: no dot, slash or at sign, so it cannot lead to another host; and short enough
for `oss-…-internal` to be one label of a host name."""

ORIGIN, CATCH_UP = "remediatorOrigin", "catch-up"
"""The one field, and its value, that an event from catch-up has besides those of the evaluator's own form."""

ACCOUNT_ID = re.compile(r"[0-9]{5,20}", re.ASCII)
_WHOLE_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)

_EARLIEST_MS = 1_262_304_000_000  # 2010, before the service existed
_LATEST_MS = 7_258_118_400_000  # 2200: later is not a time but an attack or a unit mistake
_LONGEST_TEXT = 1024
_UNSHOWABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: controls, lone surrogates, line and paragraph separators."""
_OTHER_RESULTS = frozenset({"COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA", "IGNORED"})
_RISK_LEVELS = {"1": "critical", "2": "warning", "3": "info"}


@dataclass(frozen=True, slots=True)
class Event:
    """One validated non-compliance event. Times are the evaluator's, in milliseconds since the epoch."""

    config_rule_id: str
    config_rule_name: str
    """A display name that a user chose, possibly localised: never an identifier."""
    source_identifier: str
    """The managed rule's identifier; empty in most deliveries."""
    resource_type: str
    resource_id: str
    region: str
    """Empty in the oldest form of the event."""
    account_id: str
    """The account that owns the resource, which may be a member account."""
    risk_level: str
    """`info`, `warning`, `critical`, or empty when the event names none of these."""
    evaluated_at_ms: int
    notified_at_ms: int
    request_id: str
    caught_up: bool = False
    """Whether it claims that catch-up brought it from the evaluator's list, rather than a notification. Whoever may
    publish to the topic can claim that: it counts and explains, and permits nothing."""


@dataclass(frozen=True, slots=True)
class OtherMessage:
    """A well-formed message that asks for no repair: a resource change, a snapshot, a compliant result."""

    kind: str


def decode(body: str) -> Event | OtherMessage:
    """The event in a queue body, or what kind of other message it is.

    Raises:
        InvalidMessage: the body is neither.
    """
    found = unwrap(body)
    other = _other_kind(found)
    return OtherMessage(other) if other else _event(found)


def _other_kind(found: JsonObject) -> str:
    """The kind of a message that is not a non-compliance event, or nothing if it must be one.

    Only a kind the message names itself counts: an object without any is not "something else" but broken, and
    broken messages are kept.
    """
    event_type = found.get("eventType", found.get("EventType"))
    event_name = found.get("eventName", found.get("EventName"))
    for value in (event_type, event_name):
        if value is not None and (not isinstance(value, str) or not value):
            raise InvalidMessage("wrong_type", "eventType and eventName must be text")
    if event_type is None and event_name is None and "ConfigurationDiff" in found:
        return "ResourceChange"  # the flat form of 2020
    if event_type is not None and event_type != "ResourceCompliance":
        return _short(event_type)
    if event_type is None and event_name is not None and event_name != "NonCompliant":
        return _short(event_name)
    return _other_result(found)


def _other_result(found: JsonObject) -> str:
    """A compliance result that asks for no repair, or nothing; a result that does not exist is not one of those."""
    result = found.get("complianceType")
    if result is None or result == "NON_COMPLIANT":
        return ""
    if not isinstance(result, str):
        raise _wrong(found, "complianceType", "text")
    if result not in _OTHER_RESULTS:
        raise InvalidMessage("wrong_value", "complianceType is not a result that the service knows")
    return result


def _event(found: JsonObject) -> Event:
    result = _object(found, "evaluationResultIdentifier")
    qualifier = _object(result, "evaluationResultQualifier")
    evaluated = _time(result, "orderingTimestamp")
    notified = _time(found, "notificationCreationTime", default=evaluated)
    reporter = _account(found, "accountId")
    return Event(
        config_rule_id=_text(qualifier, "configRuleId"),
        config_rule_name=_display_name(qualifier, "configRuleName"),
        source_identifier=_text(qualifier, "sourceIdentifier", required=False),
        resource_type=_text(qualifier, "resourceType"),
        resource_id=_text(qualifier, "resourceId"),
        region=_region(qualifier),
        account_id=_account(qualifier, "resourceOwnerId", default=reporter),
        risk_level=_risk_level(found),
        evaluated_at_ms=evaluated,
        notified_at_ms=notified,
        request_id=_text(found, "requestId", required=False),
        caught_up=found.get(ORIGIN) == CATCH_UP,
    )


def _object(parent: JsonObject, key: str) -> JsonObject:
    value = parent.get(key)
    if isinstance(value, dict):
        return value
    raise _wrong(parent, key, "an object")


def _text(parent: JsonObject, key: str, *, required: bool = True) -> str:
    value = parent.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise _wrong(parent, key, "text")
    if len(value) > _LONGEST_TEXT:
        raise InvalidMessage("too_large", f"{key} has {len(value)} characters")
    if not value.isprintable():
        raise InvalidMessage("unprintable", f"{key} holds characters that cannot be printed")
    return value


def _display_name(parent: JsonObject, key: str) -> str:
    """A name that people chose: any script with its own spaces and joiners, but nothing that controls a terminal.

    It identifies nothing, so what is wrong with it is replaced and does not cost the event.
    """
    value = parent.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(parent, key, "text")
    if len(value) > _LONGEST_TEXT:
        raise InvalidMessage("too_large", f"{key} has {len(value)} characters")
    if value.isprintable():
        return value
    return "".join("\ufffd" if category(character) in _UNSHOWABLE else character for character in value)


def _digits(parent: JsonObject, key: str) -> str | None:
    """A whole number that may be written as a number or as text; None when the key is missing or null."""
    value = parent.get(key)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**20:
        return str(value)
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
        return value
    raise _wrong(parent, key, "a whole number")


def _time(parent: JsonObject, key: str, *, default: int | None = None) -> int:
    digits = _digits(parent, key)
    if digits is None:
        if default is None:
            raise _wrong(parent, key, "a time in milliseconds")
        return default
    moment = int(digits)
    if not _EARLIEST_MS <= moment <= _LATEST_MS:
        raise InvalidMessage("wrong_value", f"{key} is not a time in milliseconds")
    return moment


def _account(parent: JsonObject, key: str, *, default: str | None = None) -> str:
    digits = _digits(parent, key)
    if digits is None and default is not None:
        return default
    if digits is None or not ACCOUNT_ID.fullmatch(digits):
        raise _wrong(parent, key, "an account id of 5 to 20 digits")
    return digits


def _region(qualifier: JsonObject) -> str:
    region = _text(qualifier, "regionId", required=False)
    if region and not REGION.fullmatch(region):
        raise InvalidMessage("invalid_region", "regionId does not have the form of a region id")
    return region


def _risk_level(found: JsonObject) -> str:
    value: Any = found.get("riskLevel")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    level = _RISK_LEVELS.get(value, value.lower())
    return level if level in _RISK_LEVELS.values() else ""


def _wrong(parent: JsonObject, key: str, wanted: str) -> InvalidMessage:
    if key not in parent:
        return InvalidMessage("missing_field", f"{key} is missing")
    return InvalidMessage("wrong_type", f"{key} is not {wanted}")


def _short(kind: str) -> str:
    """A kind fit for a log line: it comes from outside."""
    return kind[:64] if kind.isprintable() else "unprintable"
