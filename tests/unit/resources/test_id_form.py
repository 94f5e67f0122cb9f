"""What ids of a kind look like, and which shell patterns fit none of them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.resources.ecs.kind import SECURITY_GROUPS
from consumer.resources.id_form import IdForm
from consumer.resources.oss.kind import BUCKETS

# https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions
_BUCKETS = st.from_regex(r"\A[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\Z")
_GROUPS = st.from_regex(r"\Asg-[A-Za-z0-9][A-Za-z0-9-]{0,59}\Z")
_SMALL = IdForm("x-", first="ab", inner="ab-", last="b-", shortest=3, longest=5, described="small")
_SMALL_IDS = ["".join(each) for length in range(7) for each in product("abx-", repeat=length)]
_SMALL_IDS = [each for each in _SMALL_IDS if _SMALL.fits(each)]
_GLOBS = st.lists(st.sampled_from(["a", "b", "x", "-", "*", "?", "[", "]", "!", "[!a]", "[a-b]", "[]-]"]), max_size=9)


@st.composite
def _fitting(draw: st.DrawFn, ids: st.SearchStrategy[str]) -> tuple[str, str]:
    """An id, and a pattern made of it: parts of it left out, characters in sets or anything at all."""
    given_id = draw(ids)
    pattern = ""
    for character in given_id:
        pattern += draw(st.sampled_from([character, character, "?", "*", f"[{character}]", f"*{character}", "[!_]"]))
    return given_id, pattern


@given(
    st.one_of(
        _fitting(_BUCKETS).map(lambda pair: (BUCKETS.form, *pair)),
        _fitting(_GROUPS).map(lambda pair: (SECURITY_GROUPS.form, *pair)),
    )
)
@example((BUCKETS.form, "a" * 63, "*" + "?" * 63))
@example((BUCKETS.form, "a-b", "?-?"))
@example((SECURITY_GROUPS.form, "sg-a", "??-[!]-]"))
@example((SECURITY_GROUPS.form, "sg-" + "Z-" * 30, "*-Z-"))
def test_a_pattern_that_fits_an_id_is_never_called_one_that_fits_none(made: tuple[IdForm, str, str]) -> None:
    """A warning of it would send people to correct what is right."""
    form, resource_id, pattern = made
    assert form.fits(resource_id)
    assert fnmatchcase(resource_id, pattern)
    assert form.meets(pattern)


@given(st.one_of(_GLOBS.map("".join), _fitting(st.sampled_from(_SMALL_IDS)).map(lambda pair: pair[1])))
@example("*x-b")
@example("x-a*")
@example("*" * 9)
@example("[]a[b]")
@example("[!]x")
def test_it_is_exactly_whether_one_of_all_ids_fits(pattern: str) -> None:
    """Of a form with so few ids that all can be tried, in both directions."""
    assert _SMALL.meets(pattern) == any(fnmatchcase(each, pattern) for each in _SMALL_IDS)


def test_the_small_form_has_the_ids_that_it_says() -> None:
    """Or the test above would compare nothing with nothing."""
    assert {"x-b", "x-ab", "x-a-", "x-a-b", "x-bb-"} <= set(_SMALL_IDS)
    assert {"x-", "x-a", "x--", "x--b", "a-b", "x-abab"}.isdisjoint(_SMALL_IDS)


@pytest.mark.parametrize(
    "pattern",
    ["-abc", "-*", "abc-", "*-", "ab", "?", "??", "", "a" * 64, "?" * 64, "Prod_*", "a.b*", "[z-a]*", "*[!a-z0-9-]*"],
)
def test_no_bucket_has_such_a_name(pattern: str) -> None:
    """A hyphen at an end, too short, too long, other characters."""
    assert not BUCKETS.form.meets(pattern)


@pytest.mark.parametrize("pattern", ["web-*", "sg-", "sg--*", "SG-*", "?g", "sg-" + "?" * 61, "*_*"])
def test_no_security_group_has_such_an_id(pattern: str) -> None:
    """They begin with `sg-`, which the service chooses."""
    assert not SECURITY_GROUPS.form.meets(pattern)
