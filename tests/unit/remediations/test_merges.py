"""What holds of every merge, whatever is in the setting: idempotent, undoable, and nothing else is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.remediations.oss._setting import SettingRepair
from consumer.resources.oss.settings import CipherSuite, Encryption, HttpsConfig, Referer
from tests.unit.remediations.findings import remediation

_TEXT = st.text(max_size=12)
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
