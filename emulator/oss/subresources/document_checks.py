"""What makes lifecycle, CORS and capacity documents unacceptable, as far as clients are known to meet it. Pure.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketlifecycle
https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketcors
"""

from __future__ import annotations

import re
from itertools import combinations

from emulator.oss.call import OssCall
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal, invalid_argument
from emulator.xml import Element

_TAG_TEXT = re.compile(r"[\w+\-=.:/ ]*")
_METHODS = frozenset({"GET", "PUT", "DELETE", "POST", "HEAD"})
_MOST_CORS_RULES = 20
_MOST_LIFECYCLE_RULES = 1000


def check_lifecycle(call: OssCall, document: Element) -> None:
    """Raise Refusal when a rule contradicts itself or another one."""
    rules = list(document.all("Rule"))
    if len(rules) > _MOST_LIFECYCLE_RULES:
        raise OssRefusal(Oss.MALFORMED)
    for rule in rules:
        _check_rule(rule)
    if call.header("x-oss-allow-same-action-overlap") == "true":
        return
    for one, other in combinations(rules, 2):
        if _overlap(one, other):
            raise invalid_argument(Oss.LIFECYCLE_OVERLAP, "Rule", other.value("ID") or "")


def _check_rule(rule: Element) -> None:
    if rule.value("Status") not in ("Enabled", "Disabled"):
        raise OssRefusal(Oss.MALFORMED)
    for tag in rule.all("Tag"):
        for name in ("Key", "Value"):
            if not _TAG_TEXT.fullmatch(tag.value(name) or ""):
                raise invalid_argument(Oss.LIFECYCLE_TAG, name, tag.value(name) or "")
    transitions = list(rule.all("Transition"))
    expiration = rule.find("Expiration")
    if expiration is not None:
        _check_one_kind([expiration, *transitions])
    _check_days(transitions, expiration, "Days")
    _check_days(
        list(rule.all("NoncurrentVersionTransition")), rule.find("NoncurrentVersionExpiration"), "NoncurrentDays"
    )


def _check_one_kind(actions: list[Element]) -> None:
    """Days and dates do not go together in one rule."""
    kinds = {
        "Days" if action.find("Days") is not None else "Date"
        for action in actions
        if any(action.find(kind) is not None for kind in ("Days", "Date", "CreatedBeforeDate"))
    }
    if len(kinds) > 1:
        raise OssRefusal(Oss.LIFECYCLE_MIXED)


def _check_days(transitions: list[Element], expiration: Element | None, unit: str) -> None:
    """Colder later, and gone last."""
    days: dict[str, int] = {}
    for transition in transitions:
        storage_class = transition.value("StorageClass") or ""
        if storage_class not in ("IA", "Archive", "ColdArchive", "DeepColdArchive"):
            raise invalid_argument(Oss.LIFECYCLE_CLASS, "StorageClass", storage_class)
        if transition.find(unit) is not None:
            days[storage_class] = _number(transition, unit)
    if "IA" in days and days.get("Archive", days["IA"] + 1) <= days["IA"]:
        raise invalid_argument(Oss.LIFECYCLE_ORDER, unit, str(days["Archive"]), "Archive has to come after IA.")
    if expiration is not None and expiration.find(unit) is not None:
        last = _number(expiration, unit)
        if any(value >= last for value in days.values()):
            raise invalid_argument(
                Oss.LIFECYCLE_ORDER, unit, str(last), "Expiration has to come after every transition."
            )


def _number(action: Element, unit: str) -> int:
    text = action.value(unit) or ""
    if not text.isdecimal() or int(text) < 1:
        raise invalid_argument(Oss.LIFECYCLE_DAYS, unit, text, unit)
    return int(text)


def _overlap(one: Element, other: Element) -> bool:
    if one.find("Expiration") is None or other.find("Expiration") is None:
        return False
    if any(rule.find(tag) is not None for rule in (one, other) for tag in ("Tag", "Filter")):
        return False
    first, second = one.value("Prefix") or "", other.value("Prefix") or ""
    return first.startswith(second) or second.startswith(first)


def check_cors(_call: OssCall, document: Element) -> None:
    """Raise Refusal when a rule lacks origins or methods, or has impossible ones."""
    rules = list(document.all("CORSRule"))
    if len(rules) > _MOST_CORS_RULES:
        raise OssRefusal(Oss.MALFORMED)
    for rule in rules:
        methods = [method.text.strip() for method in rule.all("AllowedMethod")]
        if not methods or not list(rule.all("AllowedOrigin")):
            raise OssRefusal(Oss.MALFORMED)
        for method in methods:
            if method not in _METHODS:
                raise invalid_argument(Oss.CORS_VALUE, "AllowedMethod", method)
        age = rule.value("MaxAgeSeconds")
        if age is not None and not age.isdecimal():
            raise invalid_argument(Oss.CORS_VALUE, "MaxAgeSeconds", age)


def check_capacity(_call: OssCall, document: Element) -> None:
    """Raise Refusal unless the capacity is a number of gigabytes, or -1 for without limit."""
    capacity = document.value("StorageCapacity") or ""
    if capacity != "-1" and not capacity.isdecimal():
        raise invalid_argument(Oss.CAPACITY, "StorageCapacity", capacity)
