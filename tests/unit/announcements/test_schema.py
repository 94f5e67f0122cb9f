"""The schema of announcements only grows: who checks by an older one takes what is written today, and the reverse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.unit.announcements.published import first_schema, schema


def _objects(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield path, part
        for name, inner in part.items():
            yield from _objects(inner, f"{path}/{name}")


def test_nothing_is_taken_away_or_asked_for_that_was_not_before() -> None:
    """Fields are added, never required; what a field may hold stays what it was."""
    today = dict(_objects(schema().schema))
    for path, first in _objects(first_schema().schema):
        if set(first) & {"required", "properties"}:
            assert today[path].get("required") == first.get("required"), path
            assert set(first.get("properties", {})) <= set(today[path].get("properties", {})), path
        for name in ("const", "pattern", "maxItems", "maxLength"):
            assert today.get(path, {}).get(name, first.get(name)) == first.get(name), (path, name)


def test_an_entry_of_a_digest_has_what_a_single_announcement_has() -> None:
    """Whoever reads digests alone misses nothing; what is the same for all stands above the entries."""
    forms = schema().schema["$defs"]
    entry = forms["digest"]["properties"]["entries"]["items"]["properties"]

    assert set(forms["ending"]["properties"]) - set(entry) == {"form", "kind", "summary", "by"}
    assert {"form", "kind", "summary", "by"} <= set(forms["digest"]["properties"])
    for name, field in entry.items():
        assert _said(field) == _said(forms["ending"]["properties"][name]), name


def _said(field: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in field.items() if name != "description"}, sort_keys=True)
