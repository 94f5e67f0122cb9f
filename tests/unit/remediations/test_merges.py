"""What holds of every merge, whatever is in the setting: idempotent, undoable, and nothing else is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.remediations.oss._setting import SettingRepair
from consumer.resources.oss.policy import (
    admits_everyone,
    canonical,
    denies_plain_http,
    with_https_only,
    without_everyone,
)
from consumer.resources.oss.settings import CipherSuite, Encryption, HttpsConfig, Referer
from tests.unit.remediations.findings import remediation

_TEXT = st.text(max_size=12)
_PRINCIPAL = st.sampled_from(["*", "1111111111111111", "arn:sts::1:assumed-role/x"])
_CONDITION = st.sampled_from(
    [
        {},
        {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}},
        {"Bool": {"acs:SecureTransport": ["false"]}},
        {"StringLike": {"acs:SourceVpc": ["*"]}},
    ]
)
_STATEMENT = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": st.just(["oss:*"]), "Resource": st.just(["*"])},
    optional={
        "Principal": st.one_of(_PRINCIPAL, st.lists(_PRINCIPAL, min_size=1, max_size=3)),
        "Condition": _CONDITION,
        "Sid": _TEXT,
    },
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_POLICY = st.builds(
    lambda statements: json.dumps({"Version": "1", "Statement": statements}),
    st.lists(st.one_of(_STATEMENT, _ANYTHING), max_size=5),
)
_SETTINGS: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "oss.tls-version": (
        {},
        st.builds(
            HttpsConfig,
            st.booleans(),
            st.lists(st.sampled_from(["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]), unique=True).map(tuple),
            st.none() | st.builds(CipherSuite, st.booleans(), st.none() | st.booleans()),
        ),
    ),
    "oss.encryption": (
        {"algorithm": "KMS", "kms_master_key_id": "key-1"},
        st.none() | st.builds(Encryption, st.sampled_from(["AES256", "SM4", "KMS"]), st.sampled_from(["", "key-2"])),
    ),
    "oss.referer": (
        {"referers": ["a", "b"], "exclusive": True},
        st.builds(
            Referer,
            st.booleans(),
            st.lists(st.sampled_from("abcd"), unique=True).map(tuple),
            st.lists(_TEXT, max_size=2).map(tuple),
            st.none() | st.booleans(),
            st.none() | st.booleans(),
        ),
    ),
    "oss.tags": ({"tags": {"a": "1"}}, st.dictionaries(st.sampled_from("abc"), _TEXT)),
    "oss.versioning": ({}, st.sampled_from(["", "Suspended", "Enabled"])),
    "oss.block-public-access": ({}, st.booleans()),
}


@pytest.mark.parametrize("name", list(_SETTINGS))
@given(data=st.data())
def test_a_merge_is_idempotent_and_its_texts_are_the_whole_state(name: str, data: st.DataObject) -> None:
    """Planning on what was planned plans nothing, and a state survives its text, so that undo is exact."""
    options, states = _SETTINGS[name]
    repair = remediation(name, **options)
    assert isinstance(repair, SettingRepair)
    state = data.draw(states)

    after = repair.wanted(state)

    assert repair.wanted(after) == after
    assert repair.notation.state(repair.notation.text(state)) == state
    assert repair.notation.state(repair.notation.text(after)) == after


@given(policy=_POLICY, keep_restricted=st.booleans())
def test_no_grant_to_everyone_is_left_and_nothing_else_is_touched(policy: str, keep_restricted: bool) -> None:
    """Whatever the statements, understood or not."""
    after = without_everyone(policy, keep_restricted=keep_restricted, narrow_to=())

    assert not admits_everyone(after)
    before = json.loads(policy)["Statement"]
    kept = json.loads(after)["Statement"] if after else []
    untouched = [each for each in before if not isinstance(each, dict) or each.get("Effect") != "Allow"]
    assert [each for each in kept if not isinstance(each, dict) or each.get("Effect") != "Allow"] == untouched
    if after is not None:
        assert without_everyone(after, keep_restricted=keep_restricted, narrow_to=()) == after


@given(policy=st.none() | _POLICY)
def test_one_statement_is_added_and_all_others_stay(policy: str | None) -> None:
    """Afterwards plain HTTP is denied, and the policy is what it was with one statement more."""
    after = with_https_only(policy, "photos", "1234567890123456")

    assert denies_plain_http(after, "photos")
    before = json.loads(policy)["Statement"] if policy else []
    assert json.loads(after)["Statement"][:-1] == before


@given(policy=_POLICY)
def test_equal_policies_have_equal_texts(policy: str) -> None:
    """The canonical text is a fixed point and means the same."""
    text = canonical(policy)

    assert text is not None
    assert canonical(text) == text
    assert json.loads(text) == json.loads(policy)
