"""Hostile fields of an event: each one wrong in turn, each refused by name, none of them reaching a host."""

from __future__ import annotations

import json

import pytest

from consumer.core.errors import InvalidMessage
from consumer.core.event import Event, decode
from tests.unit.bodies import CURRENT, QUALIFIER, changed, event_body, text_of, without

REQUIRED = (
    "evaluationResultIdentifier",
    "evaluationResultIdentifier.orderingTimestamp",
    QUALIFIER,
    f"{QUALIFIER}.resourceId",
    f"{QUALIFIER}.resourceType",
    f"{QUALIFIER}.configRuleId",
    "accountId",
)
OPTIONAL = (
    f"{QUALIFIER}.regionId",
    f"{QUALIFIER}.resourceOwnerId",
    f"{QUALIFIER}.sourceIdentifier",
    f"{QUALIFIER}.configRuleName",
    "requestId",
    "notificationCreationTime",
    "riskLevel",
    "complianceType",
)


def reason(body: str) -> str:
    """The word a body is refused with."""
    with pytest.raises(InvalidMessage) as refused:
        decode(body)
    return refused.value.reason


@pytest.mark.parametrize("path", REQUIRED)
def test_a_missing_field_is_named(path: str) -> None:
    """Without a field that it needs an event is invalid, and the text says which."""
    with pytest.raises(InvalidMessage, match=path.rpartition(".")[2]) as refused:
        decode(text_of(without(CURRENT, path)))
    assert refused.value.reason == "missing_field"


@pytest.mark.parametrize("path", OPTIONAL)
def test_an_optional_field_may_be_missing_or_null(path: str) -> None:
    """Older forms lack these fields, others carry them empty."""
    assert isinstance(decode(text_of(without(CURRENT, path))), Event)
    assert isinstance(decode(text_of(changed(CURRENT, path, None))), Event)


@pytest.mark.parametrize("value", [None, True, False, 1.5, [], [{}], "", {"a": {}}, {}])
@pytest.mark.parametrize("path", REQUIRED)
def test_a_required_field_of_another_type_is_refused(path: str, value: object) -> None:
    """Every required field in turn, in every type that it is not."""
    assert reason(text_of(changed(CURRENT, path, value))) in ("wrong_type", "missing_field")


@pytest.mark.parametrize("value", [True, 1.5, [], {}])
@pytest.mark.parametrize("path", [path for path in OPTIONAL if path != "riskLevel"])
def test_an_optional_field_of_another_type_is_refused(path: str, value: object) -> None:
    """An optional field may be absent, but not be something else."""
    assert reason(text_of(changed(CURRENT, path, value))) == "wrong_type"


@pytest.mark.parametrize("name", ["resourceId", "resourceType", "configRuleId", "sourceIdentifier", "requestId"])
def test_identifiers_are_printable_text_of_a_sane_length(name: str) -> None:
    """An identifier with a control character, or one that is over-long, is not one."""
    assert reason(event_body(**{name: "x" * 1025})) == "too_large"
    for hostile in ("a\nb", "a\x00", "\u2028", "\u202e"):
        assert reason(event_body(**{name: hostile})) == "unprintable"


def test_an_over_long_display_name_is_refused() -> None:
    """A display name is bounded as well."""
    assert reason(event_body(configRuleName="x" * 1025)) == "too_large"


def test_a_lone_surrogate_in_an_identifier_is_refused() -> None:
    """What cannot be encoded as UTF-8 cannot be an identifier."""
    assert reason(event_body(resourceId="MARK").replace("MARK", "\\ud800")) == "unprintable"


@pytest.mark.parametrize(
    "region",
    [
        "evil.example/x#",
        "evil.example",
        "cn-hangzhou.evil.example",
        "cn-hangzhou@evil.example",
        "user:pass@evil",
        "..",
        "../..",
        "cn-hangzhou/",
        "cn-hangzhou?x",
        "cn-hangzhou#",
        "cn-hangzhou:8080",
        "cn-hangzhou ",
        " cn-hangzhou",
        "cn-hangzhou\\",
        "cn%2dhangzhou",
        "-cn",
        "cn-",
        "cn--hangzhou",
        "CN-HANGZHOU",
        "c",
        "1n-hangzhou",
        "сn-hangzhou",  # noqa: RUF001 - a Cyrillic letter that looks like c
        "cn-hangzhou１",  # noqa: RUF001 - a full-width digit
        "cn－hangzhou",  # noqa: RUF001 - a full-width hyphen
        "cn。hangzhou",
        "ⓒⓝ-hangzhou",
        "xn--cn-hangzhou-\u0301",
        "a" * 17,
        "cn" + "-abcdefgh" * 5,
        "[::1]",
    ],
)
def test_a_region_that_tries_to_escape_is_refused(region: str) -> None:
    """No text that could lead to another host passes for a region."""
    assert reason(event_body(regionId=region)) == "invalid_region"


@pytest.mark.parametrize("region", ["cn-hangzhou\n", "cn-hangzhou\x00", "cn-hangzhou\r\nHost: evil.example", "\t"])
def test_a_region_with_control_characters_is_refused(region: str) -> None:
    """A newline at the end does not slip past the pattern."""
    assert reason(event_body(regionId=region)) == "unprintable"


@pytest.mark.parametrize(
    "region",
    ["cn-hangzhou", "cn-shanghai-finance-1", "cn-north-2-gov-1", "ap-southeast-1", "us-east-1", "rg-china-mainland",
     "me-central-1", "cn-heyuan-acdr-1"],
)  # fmt: skip
def test_real_regions_pass(region: str) -> None:
    """Public, finance and government regions are regions."""
    event = decode(event_body(regionId=region))
    assert isinstance(event, Event)
    assert event.region == region


@pytest.mark.parametrize(
    "account",
    ["\uff11\uff12\uff13\uff14\uff15\uff16", "\u0661\u0662\u0663\u0664\u0665\u0666", "1" * 21, 10**20, -1, "1234", 1234,
     1.6e15, "12345\n", " 12345", "+12345", "0x1234567", "1_234_567", "admin", ""],
)  # fmt: skip
@pytest.mark.parametrize("field", ["accountId", "resourceOwnerId"])
def test_an_account_is_ascii_digits(field: str, account: object) -> None:
    """Full-width or Arabic digits, signs, floats and out-of-range numbers are no account."""
    assert reason(event_body(**{field: account})) == "wrong_type"


@pytest.mark.parametrize("moment", [0, 1, 1_630_907_917, "1630907917", 10**16, "9" * 20])
@pytest.mark.parametrize("field", ["orderingTimestamp", "notificationCreationTime"])
def test_a_time_outside_the_centuries_is_refused(field: str, moment: object) -> None:
    """Seconds instead of milliseconds, or the far future, would let an event win over every other for ever."""
    assert reason(event_body(**{field: moment})) == "wrong_value"


@pytest.mark.parametrize("number", ["9" * 4000, "1e999", "-0.0", "1E400", "-" + "9" * 25])
@pytest.mark.parametrize("path", ["accountId", "notificationCreationTime"])
def test_numbers_beyond_all_bounds_are_refused(path: str, number: str) -> None:
    """Huge integers and floats that overflow are wrong, not a crash."""
    body = text_of(changed(CURRENT, path, "MARK")).replace('"MARK"', number)
    assert reason(body) == "wrong_type"


def test_a_duplicate_key_anywhere_is_refused() -> None:
    """A second resourceId could be the one that a second parser believes."""
    text = text_of(CURRENT)
    assert reason(text.replace('"regionId":', '"resourceId": "other", "regionId":')) == "duplicate_key"


def test_a_deeply_nested_annotation_is_bounded_by_the_parser() -> None:
    """An annotation object nested thousands of levels deep is refused, not a crash."""
    deep = "[" * 20_000 + "]" * 20_000
    assert reason(event_body(annotation="MARK").replace('"MARK"', deep)) == "nested_too_deep"


def test_every_truncation_of_an_event_is_refused() -> None:
    """No proper prefix of an event is an event."""
    body = json.dumps(CURRENT)
    for length in range(len(body)):
        with pytest.raises(InvalidMessage):
            decode(body[:length])
