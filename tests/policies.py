"""Generated bucket policies: what the documentation knows, mixed with what nobody has seen before."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

_ID = st.sampled_from(["1111111111111111", "2222222222222222", "arn:sts::1234567890123456:assumed-role/reader/one"])
_PATTERN = st.sampled_from(["*", "**", "1234*", "arn:sts::*:assumed-role/*/*"])
documented_principals = st.one_of(
    st.just("*"), _ID, st.just([]), st.lists(st.one_of(_ID, _PATTERN), min_size=1, max_size=3)
)
odd_principals: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", [""], {}, {"RAM": ["*"]}, [None], [[]], [1], "alice", ["1111111111111111", ""], " * ", "?"]
)

_RANGES = st.sampled_from(
    [
        "10.0.0.0/8", "203.0.113.7", "8.0.0.0/7", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0", "2001:db8::/32", "2000::/3",
        "::/0",
    ]
)  # fmt: skip
_NETWORKS = st.sampled_from(["vpc-1", "vpc-2", "vpc-*", "*", "vpc-?"])
_tests = st.one_of(
    st.tuples(st.just("IpAddress"), st.just("acs:SourceIp"), st.lists(_RANGES, min_size=1, max_size=3)),
    st.tuples(
        st.sampled_from(["StringEquals", "StringLike"]),
        st.sampled_from(["acs:SourceVpc", "acs:SourceVpcId", "acs:AccessId"]),
        st.lists(_NETWORKS, min_size=1, max_size=2),
    ),
    st.tuples(
        st.sampled_from(["StringNotEquals", "StringNotLike"]), st.just("acs:SourceVpc"), st.lists(_NETWORKS, min_size=1)
    ),
    st.tuples(st.just("NotIpAddress"), st.just("acs:SourceIp"), st.lists(_RANGES, min_size=1)),
    st.tuples(st.just("Bool"), st.just("acs:SecureTransport"), st.sampled_from(["true", ["false"]])),
    st.tuples(st.just("StringLike"), st.sampled_from(["acs:UserAgent", "acs:Referer", "oss:Prefix"]), st.just(["x"])),
)


def _condition(tests: list[tuple[str, str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for operator, key, values in tests:
        found.setdefault(operator, {})[key] = values
    return found


documented_conditions = st.lists(_tests, max_size=3).map(_condition)
_scalars = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text("a*?/.:0189 ,", max_size=6)
anything: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abE", max_size=2), inner, max_size=3),
    max_leaves=6,
)
odd_conditions: st.SearchStrategy[Any] = st.one_of(
    anything,
    st.dictionaries(
        st.sampled_from(["IpAddress", "ipaddress", "StringEqualsIfExists", "ForAnyValue:StringEquals", "Guess"]),
        st.dictionaries(
            st.sampled_from(["acs:SourceIp", "ACS:SOURCEIP", "acs:SourceVpc", "acs:SourceVpcIp"]), anything
        ),
        max_size=2,
    ),
)

_COMMON = {"Action": st.just(["oss:GetObject"]), "Resource": st.just(["acs:oss:*:*:photos/*"])}
documented_statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Principal": documented_principals, **_COMMON},
    optional={"Condition": documented_conditions},
)
odd_statements = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"Effect": st.sampled_from(["Allow", "Deny", "allow", "", None]), **_COMMON},
        optional={
            "Principal": st.one_of(documented_principals, odd_principals),
            "NotPrincipal": documented_principals,
            "Condition": st.one_of(documented_conditions, odd_conditions),
            "principal": documented_principals,
            "Sid": st.text(max_size=4),
        },
    ),
)


def _text(statements: list[Any]) -> str:
    return json.dumps({"Version": "1", "Statement": statements})


documented = st.lists(documented_statements, min_size=1, max_size=4).map(_text)
"""Policies of the documented form, which a service and a worker have to read alike."""
odd = st.lists(st.one_of(documented_statements, odd_statements), max_size=4).map(_text)
"""Policies in which anything may stand."""


@st.composite
def _edited(draw: st.DrawFn) -> str:
    """A documented policy after a few strokes: letters in other case, missing, doubled or replaced."""
    text = draw(documented)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text) - 1))
        old = text[at]
        new = draw(st.sampled_from([old.swapcase(), "", old * 2, "*", " ", '"', ",", "\\u00a0", "0"]))
        text = text[:at] + new + text[at + 1 :]
    return text


edited = _edited()
"""Texts that nearly are policies of the documented form."""
