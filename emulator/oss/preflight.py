"""OptionObject: whether a browser may send a request from another site, by the bucket's CORS rules; nobody signs it.

https://www.alibabacloud.com/help/en/oss/developer-reference/options
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from emulator.http import Response
from emulator.oss.call import Admission, Level, Operation, OssCall
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.xml import Element

_ASKED = "access-control-request-"


def answer_preflight(call: OssCall) -> Response:
    """What the first rule that fits allows; raises Refusal(AccessForbidden) when none fits."""
    origin, method = call.header("origin") or "", call.header(f"{_ASKED}method") or ""
    wanted = call.header(f"{_ASKED}headers") or ""
    rules = call.bucket.cors.all("CORSRule") if call.bucket.cors is not None else ()
    rule = next((rule for rule in rules if _fits(rule, origin, method, wanted)), None)
    if rule is None:
        raise OssRefusal(Oss.PREFLIGHT, Method=method, ResourceType="Object", Origin=origin)
    allowed = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": ", ".join(_texts(rule, "AllowedMethod")),
        "Access-Control-Allow-Headers": wanted,
        "Access-Control-Expose-Headers": ", ".join(_texts(rule, "ExposeHeader")),
        "Access-Control-Max-Age": rule.value("MaxAgeSeconds") or "",
    }
    return Response(200, [(name, value) for name, value in allowed.items() if value])


def _fits(rule: Element, origin: str, method: str, wanted: str) -> bool:
    headers = [name.strip().lower() for name in wanted.split(",") if name.strip()]
    return (
        _matches(origin, _texts(rule, "AllowedOrigin"))
        and method in _texts(rule, "AllowedMethod")
        and all(_matches(name, [text.lower() for text in _texts(rule, "AllowedHeader")]) for name in headers)
    )


def _matches(text: str, patterns: list[str]) -> bool:
    """Whether one of the patterns fits, in which only `*` stands for more than itself."""
    return any(fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in patterns)


def _texts(rule: Element, tag: str) -> list[str]:
    return [element.text.strip() for element in rule.all(tag)]


OPERATIONS = (Operation("OptionObject", Level.OBJECT, "OPTIONS", "", answer_preflight, Admission.UNSIGNED, reads=True),)
