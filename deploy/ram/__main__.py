"""`python -m deploy.ram`: writes the RAM policies of the Kubernetes example and of the Terraform module.

Tests compare them.

For a configuration of your own: `config-remediator ram-policy --config FILE`, which this only calls.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from consumer.config import Config, build_rules, load
from consumer.guards.rule import Mode, Rule
from consumer.operator.permissions import Purpose, policy
from consumer.operator.ram_policy import scope

_DEPLOY = Path(__file__).parents[1]
EXAMPLE = _DEPLOY / "kubernetes" / "overlays" / "production" / "config.toml"
FOLDER = _DEPLOY / "ram"
TEMPLATES = {
    _DEPLOY / "terraform" / "worker-policy.json.tftpl": Purpose.RUN,
    _DEPLOY / "terraform" / "catch-up-policy.json.tftpl": Purpose.CATCH_UP,
}
"""The Terraform module's policies unless it is given others; what they name is filled in there."""


def policies() -> dict[str, str]:
    """Policy documents by file name."""
    config = load(EXAMPLE, {})
    rules = build_rules(config)
    enforcing = [replace(rule, mode=Mode.ENFORCE) for rule in rules]
    return {
        "worker-as-configured.json": _document(config, rules, Purpose.RUN, optional=False),
        "worker-enforcing.json": _document(config, enforcing, Purpose.RUN, optional=False),
        "worker-enforcing-all.json": _document(config, enforcing, Purpose.RUN, optional=True),
        "operator-provision.json": _document(config, rules, Purpose.PROVISION, optional=True),
        "catch-up.json": _document(config, rules, Purpose.CATCH_UP, optional=False),
        "operator-undo.json": _document(config, rules, Purpose.UNDO, optional=True),
        "operator-repair.json": _document(config, rules, Purpose.REPAIR, optional=True),
    }


def template(purpose: Purpose) -> str:
    """The policy for rules that observe; account, region and queues are variables of a Terraform template."""
    config = load(EXAMPLE, {})
    named = replace(
        scope(config),
        account_id="${account_id}",
        region="${region}",
        queue="${queue}",
        dead_letter_queue="${dead_letter_queue}",
    )
    return json.dumps(policy(build_rules(config), named, [purpose]), indent=2) + "\n"


def _document(config: Config, rules: Sequence[Rule], purpose: Purpose, *, optional: bool) -> str:
    return json.dumps(policy(rules, scope(config), [purpose], optional=optional), indent=2) + "\n"


def main() -> int:
    """Write them beside this module, and the module's templates beside its own."""
    for name, text in policies().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for path, purpose in TEMPLATES.items():
        path.write_text(template(purpose), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
