"""Runs the worker's decisions over captured events, without a network; and compares two configurations.

Everything is the worker's own: decoding, matching, guards, remediations. Only the buckets are pretended, and the clock
of limits, breakers and contests is the events' own, so that an hour of events fills an hour's limit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from consumer.app.build import build_memory, build_pipeline
from consumer.config import Config, build_exemptions, build_rules, load
from consumer.core import json_text
from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit
from consumer.core.observers import Hooks
from consumer.engine.change import ChangeMaker
from consumer.engine.dead_letter import SCHEMA, original_body
from consumer.engine.pipeline import Pipeline
from consumer.guards.chain import Guards
from consumer.operator import output, states
from consumer.operator.dry_run import DryRunResult, rehearsed, summary
from consumer.operator.simulate.buckets import Assumed, Recorded, SimulatedBuckets, recorded
from consumer.operator.simulate.offline import offline
from consumer.resources.base import Resource, Target
from consumer.resources.oss.kind import BUCKETS

_LINES = frozenset({".jsonl", ".ndjson"})
_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Captured:
    """One body and where it stands."""

    place: str
    body: str


def simulate(
    path: Path, files: Sequence[Path], form: str, *, assume: Assumed, state: Path | None, against: Path | None
) -> CommandExit:
    """Decide about every captured body; with `against`, twice, and show the differences.

    Raises:
        ConfigurationError: a file or a configuration cannot be used.
    """
    config = load(path, os.environ)
    other = load(against, os.environ) if against else None
    states = recorded(state) if state else {}
    captured = [each for file in files for each in bodies(file)]
    with offline():
        found = decisions(config, captured, states, assume)
        compared = decisions(other, captured, states, assume) if other else None
    changed = _changed(captured, found, compared) if compared is not None else []
    document: dict[str, Any] = {
        "messages": [{"place": each.place, **one.document()} for each, one in zip(captured, found, strict=True)],
        "summary": _summary(found),
    }
    if compared is not None:
        document |= {"against": _summary(compared), "differences": [_difference(*each) for each in changed]}
    output.show(form, document, lambda console: _draw(console, found, compared, changed))
    return CommandExit.FOUND if changed else CommandExit.DONE


def bodies(file: Path) -> Iterator[Captured]:
    """The bodies in a file: one a line in JSON Lines, else one a file.

    A line may be the event itself, a JSON text, a dead letter, or an object with a `body`.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        text = file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot read it: {error.strerror}") from None
    if file.suffix not in _LINES:
        yield Captured(file.name, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield Captured(f"{file.name}:{number}", _body(line.strip()))


def _body(line: str) -> str:
    try:
        found = json_text.parse(line)
        if isinstance(found, dict) and found.get("schema") == SCHEMA:
            return original_body(found)
    except ValueError:
        return line
    if isinstance(found, str):
        return found
    if isinstance(found, dict) and isinstance(found.get("body"), str):
        return str(found["body"])
    return line


def decisions(
    config: Config, captured: Sequence[Captured], states: dict[str, Recorded | None], assume: Assumed
) -> list[DryRunResult]:
    """How each body would end, in order, each on what the ones before it have changed."""
    rules = build_rules(config)
    repairs = [rule.remediation for rule in rules if rule.remediation.kind is BUCKETS]
    worlds = {BUCKETS.resource_type: SimulatedBuckets(dict(states), assume, repairs)}
    clock = _EventClock()
    guards = Guards(
        build_memory(config, None),
        exemptions=build_exemptions(config),
        confirm=lambda *_: "",  # the evaluator is taken to agree with the events it has sent
        held_by=lambda: "pause.enabled" if config.pause.enabled else "",
        monotonic=clock.now,
        windows_at=clock.now,
    )

    def open_target(resource: Resource, until: Callable[[], float]) -> Target[Any]:
        return worlds[resource.resource_type].open(resource, until)

    pipeline = build_pipeline(config, rules, open_target, guards, ChangeMaker(Hooks()))
    bar, advance = output.progress("deciding", len(captured))
    found = []
    with bar:
        for each in captured:
            found.append(_decided(pipeline, worlds.keys(), clock, each.body))
            advance()
    return found


class _EventClock:
    """Seconds as the events say; never backwards."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def at(self, at_ms: int) -> None:
        self._now = max(self._now, at_ms / 1000)


def _decided(pipeline: Pipeline, simulated: Collection[str], clock: _EventClock, body: str) -> DryRunResult:
    delivery = rehearsed(body)
    pipeline.triage(delivery)
    if delivery.event is not None:
        clock.at(delivery.event.notified_at_ms)
    event, rule = delivery.event, delivery.rule
    if rule and delivery.ending is None and rule.remediation.kind.resource_type not in simulated:
        text = f"depends on the live {rule.remediation.kind.noun}, which is not simulated"
        return DryRunResult(None, "not_simulated", text, rule.name, rule.mode.value, event)
    ending = delivery.ending or pipeline.repair(delivery)
    return DryRunResult(
        ending.outcome,
        ending.reason,
        ending.detail,
        rule.name if rule else "",
        rule.mode.value if rule else "",
        event,
        ending.before,
        ending.after,
    )


_Changed = tuple[Captured, DryRunResult, DryRunResult]


def _changed(
    captured: Sequence[Captured], found: Sequence[DryRunResult], compared: Sequence[DryRunResult]
) -> list[_Changed]:
    return [
        (each, one, other)
        for each, one, other in zip(captured, found, compared, strict=True)
        if (one.rule, one.outcome, one.reason, one.after) != (other.rule, other.outcome, other.reason, other.after)
    ]


def _difference(each: Captured, one: DryRunResult, other: DryRunResult) -> dict[str, Any]:
    return {"place": each.place, "resource": one.resource, "from": one.document(), "to": other.document()}


def _summary(found: Sequence[DryRunResult]) -> list[dict[str, Any]]:
    return [{"rule": rule, "outcome": outcome, "messages": number} for rule, outcome, number in summary(found)]


def _draw(
    console: Console,
    found: Sequence[DryRunResult],
    compared: Sequence[DryRunResult] | None,
    changed: Sequence[_Changed],
) -> None:
    if compared is None:
        console.print(output.table(("rule", "outcome", "messages"), summary(found)))
        return
    before = {(rule, outcome): number for rule, outcome, number in summary(found)}
    after = {(rule, outcome): number for rule, outcome, number in summary(compared)}
    rows = [(*key, before.get(key, 0), after.get(key, 0)) for key in sorted({*before, *after})]
    console.print(output.table(("rule", "outcome", "now", "with the other"), rows))
    if not changed:
        console.print("No message would end otherwise.")
        return
    detail = [(each.place, one.resource, _end(one), _end(other)) for each, one, other in changed[:_MOST_SHOWN]]
    console.print(output.table(("message", "resource", "now", "with the other"), detail))
    if len(changed) > _MOST_SHOWN:
        console.print(f"{len(changed) - _MOST_SHOWN} more; --output json has all.")


def _end(found: DryRunResult) -> str:
    outcome = found.outcome.value if found.outcome else "?"
    parts = [
        f"{found.rule or 'no rule'}: {outcome}",
        found.reason,
        states.cut(found.after) if found.before != found.after else "",
    ]
    return ", ".join(part for part in parts if part)
