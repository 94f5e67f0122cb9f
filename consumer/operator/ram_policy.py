"""Prints the least RAM policy for the configured rules and chosen commands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from consumer.config import Config, build_rules, load
from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit
from consumer.guards.rule import Mode
from consumer.operator import output
from consumer.operator.permissions import Purpose, Scope, policy
from consumer.resources.oss.kind import BUCKETS


def show(
    path: Path, purposes: Sequence[str], buckets: Sequence[str], *, member: str, required_only: bool
) -> CommandExit:
    """Print the policy.

    Raises:
        ConfigurationError: the configuration cannot be used, or the member account is none of it.
    """
    config = load(path, os.environ)
    if member and (member == config.account_id or member not in config.accounts.allowed):
        known = ", ".join(each for each in config.accounts.allowed if each != config.account_id) or "none"
        raise ConfigurationError(f"{member} is no member account; accounts.allowed names {known}")
    chosen = list(Purpose) if "all" in purposes else [Purpose(purpose) for purpose in purposes]
    about = scope(config, buckets, member)
    output.write_json(policy(build_rules(config), about, chosen, optional=not required_only))
    return CommandExit.DONE


def scope(config: Config, buckets: Sequence[str] = (), member: str = "") -> Scope:
    """What a policy for this configuration is about."""
    accounts = config.accounts
    return Scope(
        account_id=config.account_id,
        region=config.queue.region,
        queue=config.queue.name,
        dead_letter_queue=config.queue.dead_letter_queue,
        topic=config.topic.name,
        subscription=config.subscription_name,
        resource_ids={BUCKETS.resource_type: tuple(buckets)} if buckets else {},
        member=member,
        announced=config.announce.topic,
        canary=config.canary.bucket,
        canary_public=config.canary.public,
        reads_tags=_reads_tags(config),
        names_owners=_names_owners(config),
        roles=tuple(
            f"acs:ram::{member}:role/{accounts.role_name}" for member in accounts.allowed if member != config.account_id
        ),
        evaluator_operations=_evaluator_operations(config),
        catch_up_operations=tuple(
            f"List{form}{what}" for what in ("ConfigRules", "ConfigRuleEvaluationResults") for form in _forms(config)
        ),
        request_operations=tuple(f"Start{form}ConfigRuleEvaluation" for form in _forms(config)),
    )


def _names_owners(config: Config) -> bool:
    return bool(config.announce.topic and config.announce.owner_tag)


def _reads_tags(config: Config) -> bool:
    by_tags = any(each.tags for each in config.exemptions) or any(rule.tags for rule in config.rules)
    return by_tags or _names_owners(config)


def _forms(config: Config) -> tuple[str, ...]:
    """What an operation's name holds for the account's own rules, and for those of an account group."""
    return ("", "Aggregate") if config.catch_up.aggregator_id else ("",)


def _evaluator_operations(config: Config) -> tuple[str, ...]:
    settings = config.reevaluate
    if not settings.enabled:
        return ()
    confirms = any(rule.mode is Mode.ENFORCE and rule.remediation.one_way for rule in build_rules(config))
    looks = ("ListResourceEvaluationResults",) if settings.wait_for_agreement or confirms else ()
    return ("StartConfigRuleEvaluationByResource", *looks, *(("GetConfigRule",) if confirms else ()))
