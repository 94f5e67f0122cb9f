"""What is taken out of a policy and put into one, and when a Deny provably covers a whole bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.core.errors import Refused
from consumer.resources.oss.policy import Admits, read
from consumer.resources.oss.policy_document import canonical
from consumer.resources.oss.policy_edits import denies_plain_http, with_https_only, without_everyone
from tests import policies
from tests.ids import ascii_id

OWNER = "1234567890123456"
WHOLE: dict[str, Any] = {
    "Effect": "Deny",
    "Action": ["oss:*"],
    "Principal": ["*"],
    "Resource": [f"acs:oss:*:{OWNER}:bucket", f"acs:oss:*:{OWNER}:bucket/*"],
    "Condition": {"Bool": {"acs:SecureTransport": ["false"]}},
}
NAMED = {"Effect": "Allow", "Action": ["oss:GetObject"], "Principal": [OWNER], "Resource": ["acs:oss:*:*:photos/*"]}


def policy(*statements: object) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)})


def resources(*paths: str, owner: str = OWNER) -> dict[str, Any]:
    return {**WHOLE, "Resource": [f"acs:oss:*:{owner}:{path}" for path in paths]}


@example(policy=policy(NAMED, {**NAMED, "Principal": [OWNER, "*"]}), keep_restricted=True)
@given(policy=policies.odd, keep_restricted=st.booleans())
def test_no_public_grant_is_left_and_nothing_else_is_touched(policy: str, keep_restricted: bool) -> None:
    """Whatever the statements: named grants, denials and what is not understood stay as they were, in their order."""
    after = without_everyone(policy, keep_restricted=keep_restricted, narrow_to=())

    goes = {Admits.EVERYONE} if keep_restricted else {Admits.EVERYONE, Admits.RESTRICTED}
    before = read(policy).statements
    kept = read(after).statements if after else ()
    assert not goes & {each.admits for each in kept}
    left = iter([each.raw for each in kept])  # a grant without its `*` may be the same as one that stays
    assert all(each.raw in left for each in before if each.admits not in goes)
    if after is not None:
        assert without_everyone(after, keep_restricted=keep_restricted, narrow_to=()) == after


@given(policy=policies.odd)
def test_narrowing_names_only_who_was_meant(policy: str) -> None:
    """Whoever takes everyone's place is the only one that is let in anew."""
    after = without_everyone(policy, keep_restricted=False, narrow_to=["3333333333333333"])

    assert after is None or not {Admits.EVERYONE, Admits.RESTRICTED} & {each.admits for each in read(after).statements}


@given(policy=st.none() | policies.odd)
def test_one_statement_is_added_and_all_others_stay(policy: str | None) -> None:
    """Afterwards plain HTTP is denied, and the policy is what it was with one statement more."""
    after = with_https_only(policy, "photos", OWNER)

    assert denies_plain_http(after, "photos", OWNER)
    before = json.loads(policy)["Statement"] if policy else []
    assert json.loads(after)["Statement"][:-1] == before


@given(policy=policies.odd)
def test_equal_policies_have_equal_texts(policy: str) -> None:
    """The canonical text is a fixed point and means the same."""
    text = canonical(policy)

    assert text is not None
    assert canonical(text) == text
    assert json.loads(text) == json.loads(policy)


@pytest.mark.parametrize(
    "statements",
    [
        [WHOLE],
        [{**WHOLE, "Action": "*"}],
        [{**WHOLE, "Action": "oss:?*"}],
        [{**WHOLE, "Action": ["oss:GetObject", "oss:*"]}],
        [{**WHOLE, "Principal": "*"}],
        [{**WHOLE, "Principal": ["1111111111111111", "*"]}],
        [{**WHOLE, "Resource": "*"}],
        [{**WHOLE, "Condition": {"Bool": {"acs:SecureTransport": "false"}}}],
        [{**WHOLE, "Sid": "tls"}],
        [resources("bucket", "bucket/*", owner="*")],
        [resources("bucket*")],
        [resources("*")],
        [resources("bucket", "bucket/?*")],
        [resources("bucket/private/*", "b?cket", "bucket*")],
        [resources("bucket"), resources("bucket/*")],
    ],
    ids=ascii_id,
)
def test_a_denial_that_covers_everything_is_enough(statements: list[dict[str, Any]]) -> None:
    """In whatever words, in one statement or in several whole ones."""
    assert denies_plain_http(policy(*statements), "bucket", OWNER)


@pytest.mark.parametrize(
    "statement",
    [
        resources("bucket"),
        resources("bucket/*"),
        resources("bucket", "bucket/*/*"),
        resources("bucket", "bucket/s*"),
        resources("bucket", "bucket/some/*"),
        resources("bucket", "bucket/*object"),
        resources("bucket", "bucket/some/object"),
        resources("bucket", "bucket/[a-z0-9]*"),
        resources("[b]ucket", "bucket/*"),
        resources("bucket", "bucket/*", owner="9999888877776666"),
        resources("bucket", "bucket/*", owner=""),
        resources("bucket", "bucket/*", owner=f"{OWNER}*"),
        resources("other", "other/*"),
        {**WHOLE, "Resource": [f"acs:oss:oss-cn-hangzhou:{OWNER}:bucket", f"acs:oss:oss-cn-hangzhou:{OWNER}:bucket/*"]},
        {**WHOLE, "Resource": ["bucket", "bucket/*"]},
        {**WHOLE, "Resource": ["acs:oss:*", "acs:oss:*:*"]},
        {**WHOLE, "Resource": ["acs:ram:*:*:bucket", "acs:oss:*:*:bucket/*"]},
        {**WHOLE, "Resource": ["*", 1]},
        {**WHOLE, "Resource": []},
        {**{key: value for key, value in WHOLE.items() if key != "Resource"}, "NotResource": ["acs:oss:*:*:other/*"]},
        {**WHOLE, "NotResource": ["acs:oss:*:*:bucket/public/*"]},
        {**WHOLE, "Effect": "Allow"},
        {**WHOLE, "Effect": "deny"},
        {**WHOLE, "effect": "Deny"},
        {**WHOLE, "Action": ["oss:GetObject"]},
        {**WHOLE, "Action": ["oss:Get*", "oss:Put*"]},
        {**WHOLE, "Action": ["OSS:*"]},
        {**WHOLE, "Action": ["oss:*Object"]},
        {**WHOLE, "Action": ["oss:?"]},
        {**WHOLE, "Action": []},
        {**WHOLE, "NotAction": ["oss:GetObject"]},
        {**{key: value for key, value in WHOLE.items() if key != "Action"}, "NotAction": ["oss:GetObject"]},
        {**WHOLE, "Principal": ["1111111111111111"]},
        {**WHOLE, "Principal": ["1*"]},
        {**WHOLE, "Principal": []},
        {**WHOLE, "Principal": {"RAM": ["*"]}},
        {**WHOLE, "Principal": ["*", None]},
        {**WHOLE, "NotPrincipal": ["1111111111111111"]},
        {**{key: value for key, value in WHOLE.items() if key != "Principal"}, "NotPrincipal": ["1111111111111111"]},
        {**WHOLE, "Condition": {}},
        {**WHOLE, "Condition": {"Bool": {"acs:SecureTransport": ["true"]}}},
        {**WHOLE, "Condition": {"Bool": {"acs:SecureTransport": ["false", "true"]}}},
        {**WHOLE, "Condition": {"Bool": {"acs:SecureTransport": []}}},
        {**WHOLE, "Condition": {"Bool": {"acs:SecureTransport": False}}},
        {**WHOLE, "Condition": {"Bool": {"acs:SecureTransport": ["False"]}}},
        {**WHOLE, "Condition": {"bool": {"acs:SecureTransport": ["false"]}}},
        {**WHOLE, "Condition": {"Bool": {"acs:securetransport": ["false"]}}},
        {**WHOLE, "Condition": {"BoolIfExists": {"acs:SecureTransport": ["false"]}}},
        {**WHOLE, "Condition": {"StringEquals": {"acs:SecureTransport": ["false"]}}},
        {**WHOLE, "Condition": {**WHOLE["Condition"], "IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}},
        {**WHOLE, "Condition": {"Bool": {"acs:SecureTransport": ["false"], "acs:MFAPresent": ["false"]}}},
    ],
    ids=ascii_id,
)
def test_a_denial_that_leaves_anything_out_is_completed(statement: dict[str, Any]) -> None:
    """Some object, caller, action or request gets through, or may: one more statement is added, this one stays."""
    assert not denies_plain_http(policy(statement), "bucket", OWNER)
    after = json.loads(with_https_only(policy(statement), "bucket", OWNER))["Statement"]
    assert after == [statement, WHOLE]


_PATHS = st.lists(st.text("*?bucket/[s]", max_size=12), min_size=1, max_size=3)


@given(paths=_PATHS, names=st.lists(st.text(min_size=1, max_size=8), max_size=20))
def test_what_counts_as_covered_denies_every_name(paths: list[str], names: list[str]) -> None:
    """Checked with a matcher of its own: the bucket and random objects fit some pattern, each of them."""
    if denies_plain_http(policy(resources(*paths)), "bucket", OWNER):
        assert all(
            any(_fits(path, name) for path in paths) for name in ["bucket", *(f"bucket/{each}" for each in names)]
        )


def _fits(pattern: str, text: str) -> bool:
    """By trying every split, as slowly as it is plain."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_fits(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and _fits(pattern[1:], text[1:])


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        (json.dumps({"Statement": [WHOLE]}), "Version is None, not '1'"),
        (json.dumps({"Version": "2", "Statement": [WHOLE]}), "Version is '2', not '1'"),
        (json.dumps({"Version": "1", "Statement": [], "statement": [WHOLE]}), "'statement' is no element of a policy"),
        (json.dumps({"Version": "1"}), "Statement is no list"),
    ],
)
def test_a_policy_of_another_form_is_not_added_to(text: str, doubt: str) -> None:
    """What would be written is not what was read; a person has to look."""
    with pytest.raises(Refused, match=f"not understood, so a person has to look: {doubt}$"):
        with_https_only(text, "bucket", OWNER)


@pytest.mark.parametrize(
    "changed",
    [
        {"NotPrincipal": ["2222222222222222"]},
        {"NotPrincipal": ["2222222222222222"], "Principal": ["*"]},
        {"NotPrincipal": ["2222222222222222"], "Principal": ["1111111111111111"]},
        {"Principal": {"RAM": ["*"]}},
        {"Principal": 7},
    ],
    ids=ascii_id,
)
def test_what_cannot_be_narrowed_without_guessing_is_taken_out(changed: dict[str, object]) -> None:
    """NotPrincipal would still let nearly everyone in; of another shape nobody knows whom it means."""
    allow = {"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": ["*"]}
    text = policy({**allow, **changed})
    assert without_everyone(text, keep_restricted=True, narrow_to=["3333333333333333"]) is None


def test_a_statement_with_addresses_is_not_kept_for_a_substitute() -> None:
    """The service refuses `acs:SourceIp` without a VPC condition on every write; who is named besides keeps it."""
    wide = {
        "Effect": "Allow",
        "Action": ["oss:GetObject"],
        "Principal": ["*"],
        "Resource": ["*"],
        "Condition": {"IpAddress": {"acs:SourceIp": ["0.0.0.0/0"]}},
    }

    assert without_everyone(policy(wide), keep_restricted=False, narrow_to=["1111111111111111"]) is None
    mixed = {**wide, "Principal": ["*", "2222222222222222"]}
    after = without_everyone(policy(mixed), keep_restricted=False, narrow_to=["1111111111111111"])
    assert after is not None
    assert json.loads(after)["Statement"] == [{**mixed, "Principal": ["2222222222222222"]}]
