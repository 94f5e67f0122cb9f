"""Lists the remediations, built in and installed, and which configured rules use them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from consumer.config import RuleConfig, load
from consumer.config.introspection import allowed, keys
from consumer.config.reference import default
from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit
from consumer.operator import output, typed
from consumer.remediations.catalogue import RemediationType, catalogue


def show(name: str | None, path: Path | None, form: str) -> CommandExit:
    """List every remediation, or show everything about one.

    Raises:
        ConfigurationError: there is none of that name, or the configuration cannot be used.
    """
    configured = load(path, os.environ).rules if path else ()
    uses: Mapping[str, list[RuleConfig]] = {
        kind: [rule for rule in configured if rule.remediation == kind] for kind in catalogue()
    }
    if name is None:
        documents = [_document(kind, uses[kind.name]) for kind in catalogue().values()]
        output.show(form, documents, lambda console: _draw_all(console, uses, path))
        return CommandExit.DONE
    kind = catalogue().get(name)
    if kind is None:
        raise ConfigurationError(f"there is no remediation {name!r}; known are {', '.join(catalogue())}")
    output.show(form, _document(kind, uses[name]), lambda console: _draw_one(console, kind, uses[name]))
    return CommandExit.DONE


def _draw_all(console: Console, uses: Mapping[str, list[RuleConfig]], path: Path | None) -> None:
    columns = ["remediation", "what it changes", "undo", "what may break"]
    rows: list[list[object]] = [
        [kind.name, kind.summary, kind.reversible, kind.may_break] for kind in catalogue().values()
    ]
    if path is not None:
        columns.insert(1, "configured")
        for row, kind in zip(rows, catalogue(), strict=True):
            row.insert(1, _uses(uses[kind]))
    console.print(output.table(columns, rows))
    output.unbroken(console, f"RAM actions and options of one: {typed.command('rules', 'REMEDIATION', config=path)}")


def _draw_one(console: Console, repair: RemediationType, uses: list[RuleConfig]) -> None:
    console.print(
        output.facts(
            [
                ("remediation", repair.name),
                ("changes", repair.summary),
                ("resource", repair.kind.resource_type),
                ("makes compliant", repair.repairs or "no managed rule"),
                ("undo", repair.reversible),
                ("may break", repair.may_break),
                ("RAM actions", (*repair.kind.look_actions, *repair.actions)),
                ("optional", repair.optional_actions or "none"),
                ("for undo only", repair.undo_actions or "none"),
                ("configured", _uses(uses) or "by no rule"),
            ]
        )
    )
    if options := list(keys(repair.Options)):
        rows = [(key.name, allowed(key.kind, key.name), default(key), key.field.description) for key in options]
        console.print(output.table(("option", "takes", "default", "meaning"), rows, title="[rules.options]"))


def _uses(rules: list[RuleConfig]) -> tuple[str, ...]:
    return tuple(f"{rule.name}: {rule.mode.value}" for rule in rules)


def _document(repair: RemediationType, uses: list[RuleConfig]) -> dict[str, Any]:
    return {
        "name": repair.name,
        "summary": repair.summary,
        "resource_type": repair.kind.resource_type,
        "repairs": list(repair.repairs),
        "reversible": repair.reversible,
        "may_break": repair.may_break,
        "actions": [*repair.kind.look_actions, *repair.actions],
        "optional_actions": list(repair.optional_actions),
        "undo_actions": list(repair.undo_actions),
        "options": [
            {"name": key.name, "takes": allowed(key.kind, key.name), "default": default(key)}
            for key in keys(repair.Options)
        ],
        "rules": [{"name": rule.name, "mode": rule.mode.value} for rule in uses],
    }
