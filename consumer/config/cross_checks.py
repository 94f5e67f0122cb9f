"""What several keys have to fulfil together, each check with its own sentence. Pure.

Checks work on plain tables, so that the same ones judge a finished configuration and a file in which other keys are
still wrong: a check is left out only when one of its own keys is what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consumer.remediations.catalogue import catalogue

TomlTable = Mapping[str, Any]

SELECTING = ("config_rule_ids", "source_identifiers", "rule_names", "resource_types")
"""At least one of these has to say which events a rule is about."""

NARROWING = ("accounts", "regions", "resources", "tags")
"""At least one of these has to say which resources are exempt."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the key as in TOML and one line of text."""

    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


@dataclass(frozen=True, slots=True)
class _AtLeast:
    """A number that has to reach the sum of others."""

    key: str
    others: tuple[str, ...]
    because: str


_AT_LEAST = (
    _AtLeast("engine.slots", ("engine.workers",), "a worker without a slot never gets a message"),
    _AtLeast("engine.max_lease_seconds", ("engine.lease_seconds",), "the first renewal already reaches that far"),
    _AtLeast(
        "engine.max_lease_seconds", ("engine.work_budget_seconds",), "work must not outlast the lease it is done under"
    ),
    _AtLeast(
        "engine.shutdown_grace_seconds",
        ("queue.wait_seconds", "queue.call_timeout_seconds"),
        "a stop waits for the open poll and then still has to settle",
    ),
    _AtLeast(
        "metrics.queue_sample_idle_seconds",
        ("metrics.queue_sample_seconds",),
        "an idle worker must not send more requests than a busy one",
    ),
    _AtLeast("breaker.attempts", ("breaker.min_attempts",), "what is not judged can never be too few"),
    _AtLeast(
        "retry.request_cap_seconds", ("retry.request_base_seconds",), "the first pause must not exceed the longest"
    ),
    _AtLeast(
        "retry.backoff_cap_seconds", ("retry.backoff_base_seconds",), "the first pause must not exceed the longest"
    ),
)


def contradictions(document: TomlTable, wrong: Callable[[str], bool] = lambda _key: False) -> list[Problem]:
    """Every check that fails on a document with all its defaults; those on a key that is `wrong` are left out."""
    found = [problem for check in _AT_LEAST if (problem := _too_small(document, check, wrong))]
    found += _same_queue(document, wrong)
    found += _journal(document, wrong)
    found += _announce(document, wrong)
    found += _rules(document, wrong)
    found += _exemptions(document, wrong)
    return found


def value_at(document: TomlTable, key: str) -> Any:
    """The value of a dotted key.

    Raises:
        KeyError: there is none.
    """
    value: Any = document
    for part in key.split("."):
        if not isinstance(value, Mapping):
            raise KeyError(key)
        value = value[part]
    return value


def _too_small(document: TomlTable, check: _AtLeast, wrong: Callable[[str], bool]) -> Problem | None:
    if any(wrong(key) for key in (check.key, *check.others)):
        return None
    given = value_at(document, check.key)
    others = [value_at(document, key) for key in check.others]
    if given >= sum(others):
        return None
    terms = " + ".join(f"{key} ({number:g})" for key, number in zip(check.others, others, strict=True))
    return Problem(check.key, f"must be at least {terms}, given {given:g}: {check.because}")


def _same_queue(document: TomlTable, wrong: Callable[[str], bool]) -> Iterator[Problem]:
    if wrong("queue.name") or wrong("queue.dead_letter_queue"):
        return
    name = value_at(document, "queue.name")
    if value_at(document, "queue.dead_letter_queue") == name:
        text = f'must be another queue than queue.name, given "{name}": dead letters would be consumed again for ever'
        yield Problem("queue.dead_letter_queue", text)


def _journal(document: TomlTable, wrong: Callable[[str], bool]) -> Iterator[Problem]:
    if wrong("journal.path") or wrong("journal.required"):
        return
    if value_at(document, "journal.required") and not value_at(document, "journal.path"):
        yield Problem("journal.required", "needs journal.path, given none: there is no journal that could be required")


_NEVER_DIGESTED = frozenset({"undone", "paused", "breaker_open"})
"""They concern a person's act or the whole process, and are announced at once."""


def _announce(document: TomlTable, wrong: Callable[[str], bool]) -> Iterator[Problem]:
    topic = "" if wrong("announce.topic") else value_at(document, "announce.topic")
    if topic and not wrong("topic.name") and topic == value_at(document, "topic.name"):
        text = f'must be another topic than topic.name, given "{topic}": announcements would come back as events'
        yield Problem("announce.topic", text)
    digest = () if wrong("announce.digest") else value_at(document, "announce.digest")
    if never := sorted(_NEVER_DIGESTED.intersection(digest)):
        yield Problem("announce.digest", f"cannot hold {', '.join(never)}, which are announced at once")


def _rules(document: TomlTable, wrong: Callable[[str], bool]) -> Iterator[Problem]:
    if wrong("rules"):
        return
    rules = _tables(document["rules"])
    yield from _names_twice("rules", rules)
    for index, rule in enumerate(rules):
        key = f"rules[{index}]"
        if rule and not any(rule.get(mark) or wrong(f"{key}.{mark}") for mark in SELECTING):
            yield Problem(key, f"takes no event in particular; give at least one of {', '.join(SELECTING)}")


def _exemptions(document: TomlTable, wrong: Callable[[str], bool]) -> Iterator[Problem]:
    if wrong("exemptions"):
        return
    exemptions = _tables(document["exemptions"])
    yield from _names_twice("exemptions", exemptions)
    rules = None if wrong("rules") else _tables(document["rules"])
    known = None if rules is None else {str(rule.get("name")) for rule in rules}
    types = _repaired_types(rules or [])
    for index, exemption in enumerate(exemptions):
        key = f"exemptions[{index}]"
        if exemption and not any(exemption.get(mark) or wrong(f"{key}.{mark}") for mark in NARROWING):
            yield Problem(key, f"exempts nothing in particular; give at least one of {', '.join(NARROWING)}")
        if known is None:
            continue
        for name in () if wrong(f"{key}.rules") else exemption.get("rules") or ():
            if name not in known:
                yield Problem(f"{key}.rules", f'must name rules that there are, given "{name}"')
        for name in () if wrong(f"{key}.resource_types") else exemption.get("resource_types") or ():
            if types is not None and name not in types:
                # Misspelt, it would exempt nothing, and what is meant to stay as it is would be changed.
                text = f'must be types that a rule repairs ({", ".join(sorted(types)) or "none"}), given "{name}"'
                yield Problem(f"{key}.resource_types", text)


def _repaired_types(rules: list[Mapping[str, Any]]) -> set[str] | None:
    """The types of resources that the rules repair; None if one names no remediation that there is."""
    repairs = [catalogue().get(str(rule.get("remediation"))) for rule in rules]
    types = {repair.kind.resource_type for repair in repairs if repair is not None}
    return types if None not in repairs else None


def _tables(entries: Any) -> list[Mapping[str, Any]]:
    return [entry if isinstance(entry, Mapping) else {} for entry in entries]


def _names_twice(where: str, tables: list[Mapping[str, Any]]) -> Iterator[Problem]:
    first: dict[object, int] = {}
    for index, table in enumerate(tables):
        name = table.get("name")
        if isinstance(name, str) and first.setdefault(name, index) != index:
            text = f'must be unique, given "{name}", which is also {where}[{first[name]}].name'
            yield Problem(f"{where}[{index}].name", text)
