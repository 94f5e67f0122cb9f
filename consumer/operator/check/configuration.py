"""Whether the configuration can be read, and what it says that nobody can have meant."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from consumer.config import Config, build_rules, load
from consumer.config.problems import InvalidConfiguration
from consumer.core.errors import ConfigurationError
from consumer.guards.rule import Observed
from consumer.guards.window import described, seconds_until_open
from consumer.operator.check.findings import CheckResult, failed, ok, warning
from consumer.resources.base import ResourceKind

CONFIGURATION = "configuration"


def read(path: Path, environment: Mapping[str, str]) -> Config | list[CheckResult]:
    """The configuration, or why it cannot be used."""
    try:
        return load(path, environment)
    except InvalidConfiguration as error:
        return [failed(CONFIGURATION, str(each), error.remedy_for(each)) for each in error.problems]
    except ConfigurationError as error:
        return [failed(CONFIGURATION, str(error), error.remedy)]


def look(config: Config, now: float | None = None) -> Iterator[CheckResult]:
    """What a start takes and somebody may regret: ended exemptions, observing without a memory, unclosed brackets."""
    moment = time.time() if now is None else now
    for exemption in config.exemptions:
        if exemption.expires_at <= moment:
            # The day that `expires` names counts, so it is the last one, and its end belongs to the day after it.
            ended = datetime.fromtimestamp(exemption.expires_at - 1, UTC).date()
            text = f"the exemption {exemption.name!r} ended on {ended}: what it names is repaired like anything else"
            yield warning("exemption", text, f"take it out, or ask {exemption.owner} for a new exemptions.expires")
    if not config.catch_up.expected_within_seconds:
        for rule in config.rules:
            if rule.observed is Observed.DELETE:
                text = f"{rule.name} deletes what it has observed, and nothing says that catch-up brings it back"
                remedy = "let catch-up run by itself and set catch_up.expected_within_seconds, or rules.observed = keep"
                yield warning("observed", text, remedy)
    yield from _named_by_identifier_alone(config)
    yield from _windows(config, moment)
    yield from _strange_patterns(config)


def _named_by_identifier_alone(config: Config) -> Iterator[CheckResult]:
    """Rules for which hardly any event comes: the form that a topic is sent has ids and names, and no identifiers."""
    for rule in config.rules:
        if rule.source_identifiers and not rule.config_rule_ids and not rule.rule_names:
            text = f"{rule.name} names source_identifiers alone, which most events lack: they are deleted as not ours"
            yield warning("rule", text, "give rules.config_rule_ids as well, which is in every event")


def _strange_patterns(config: Config) -> Iterator[CheckResult]:
    """Patterns that stand for themselves, and those that no id fits."""
    for key, pattern in _patterns(config):
        if _unclosed(pattern):
            text = f"{key} = {pattern!r} has a bracket that is never closed, so it stands for itself"
            yield warning("pattern", text, f"close it in {key}, or write [[] for a bracket that is meant")
    for key, pattern, kinds in _id_patterns(config):
        forms = [kind.form for kind in kinds if kind.form]
        if not forms or len(forms) < len(kinds) or _unclosed(pattern) or any(form.meets(pattern) for form in forms):
            continue  # it fits some id, or a kind from somebody's own package does not say what its ids look like
        nouns = " or ".join(kind.noun for kind in kinds)
        text = f"{key} = {pattern!r} can match nothing: no {nouns} can have such an id"
        yield warning("pattern", text, f"{'; '.join(form.described for form in forms)}; correct {key}")


def _windows(config: Config, moment: float) -> Iterator[CheckResult]:
    """When each rule that has windows may change things next."""
    for rule in build_rules(config):
        if not rule.windows:
            continue
        left = seconds_until_open(rule.windows, moment)
        if left is None:
            text = f"none of the windows of {rule.name} opens within two weeks: {described(rule.windows)}"
            yield warning("windows", text, f"widen rules.windows of {rule.name}, or nothing of it is ever repaired")
        elif left:
            opens = datetime.fromtimestamp(moment + left, rule.windows[0].zone).isoformat(timespec="minutes")
            yield ok("windows", f"{rule.name} makes no changes now; again from {opens}")
        else:
            yield ok("windows", f"{rule.name} may make changes now: {described(rule.windows)}")


def _patterns(config: Config) -> Iterator[tuple[str, str]]:
    for rule in config.rules:
        yield from ((f"rules.rule_names of {rule.name}", pattern) for pattern in rule.rule_names)
        yield from ((f"rules.tags of {rule.name}", pattern) for pattern in rule.tags.values())
    yield from ((key, pattern) for key, pattern, _ in _id_patterns(config))
    for exemption in config.exemptions:
        yield from ((f"exemptions.tags of {exemption.name}", pattern) for pattern in exemption.tags.values())


def _id_patterns(config: Config) -> Iterator[tuple[str, str, list[ResourceKind]]]:
    """Patterns on the ids of resources, with their keys and the kinds of resource that each is for."""
    kinds = {rule.name: rule.remediation.kind for rule in build_rules(config)}
    for rule in config.rules:
        for pattern in rule.resources:
            yield f"rules.resources of {rule.name}", pattern, [kinds[rule.name]]
    for exemption in config.exemptions:
        exempt = {
            kind.resource_type: kind
            for name, kind in kinds.items()
            if (not exemption.rules or name in exemption.rules)
            and (not exemption.resource_types or kind.resource_type in exemption.resource_types)
        }
        for pattern in exemption.resources:
            yield f"exemptions.resources of {exemption.name}", pattern, list(exempt.values())


def _unclosed(pattern: str) -> bool:
    """As `fnmatch` reads it: the first character of a set, after a `!`, never closes it."""
    at = 0
    while (start := pattern.find("[", at)) >= 0:
        first = start + 2 if pattern[start + 1 : start + 2] == "!" else start + 1
        end = pattern.find("]", first + 1)
        if end < 0:
            return True
        at = end + 1
    return False
