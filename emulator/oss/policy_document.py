"""Whether a text is a bucket policy that the service takes: JSON of the policy's form, version 1. Pure.

https://www.alibabacloud.com/help/en/oss/user-guide/0030-00000005 and its neighbours; that an empty list of
principals is taken and means everyone, from "Policy syntax and elements".
"""

from __future__ import annotations

import json
from typing import Any

from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.public_policy import Unreadable, conditions, statements

_MOST_BYTES = 16 * 1024


def check(body: bytes) -> str:
    """The policy's text; raises Refusal(InvalidPolicyDocument) unless the service would take it."""
    if not body or len(body) > _MOST_BYTES:
        raise OssRefusal(Oss.POLICY_SIZE)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise OssRefusal(Oss.POLICY_ENCODING) from error
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid("unknown char in policy or the policy is not JSON.") from error
    _check_document(document)
    return text


def check_source_ip(policy: str, status: int) -> None:
    """Raise the Refusal of a policy that limits addresses in a statement without naming a VPC.

    https://help.aliyun.com/zh/oss/user-guide/0030-00000008 : any condition on acs:SourceVpc will do, a negated one
    too. Neither the status nor the code is documented; `status` chooses.
    """
    try:
        found = statements(policy)
    except Unreadable:
        return
    for statement in found:
        keys = {key for _, key, _ in conditions(statement)}
        if "acs:SourceIp" in keys and not keys & {"acs:SourceVpc", "acs:SourceVpcId"}:
            raise OssRefusal(Oss.POLICY_SOURCE_IP_DENIED if status == 403 else Oss.POLICY_SOURCE_IP)


def _invalid(message: str) -> OssRefusal:
    return OssRefusal(Oss.POLICY, message)


def _check_document(document: Any) -> None:
    if not isinstance(document, dict) or not isinstance(document.get("Version"), str):
        raise _invalid("The policy has no Version.")
    if document["Version"] != "1":
        raise OssRefusal(Oss.POLICY_VERSION)
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise _invalid("The policy has no Statement.")
    for statement in statements:
        _check_statement(statement)


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, dict):
        raise _invalid("A Statement is not an object.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _invalid("A Statement's Effect is neither Allow nor Deny.")
    for name in ("Action", "Principal", "Resource"):
        given = [statement[key] for key in (name, f"Not{name}") if key in statement]
        # The service takes a statement without a principal; it then applies to everybody.
        least = 0 if name == "Principal" else 1
        everyone = name == "Principal" and statement.get(name) == []
        if not least <= len(given) <= 1 or not (everyone or all(_strings(value) for value in given)):
            raise _invalid(f"A Statement needs one of {name} and Not{name}, a string or a list of strings.")
    if not isinstance(statement.get("Condition", {}), dict):
        raise _invalid("A Statement's Condition is not an object.")
    resources = statement["Resource" if "Resource" in statement else "NotResource"]
    for resource in resources if isinstance(resources, list) else [resources]:
        # A list that is written as one text is taken, too, as the Java SDK's suite puts it.
        if resource != "*" and "acs:oss:" not in resource:
            raise _invalid("A Statement's Resource is not of OSS.")


def _strings(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(item, str) and item for item in values)
