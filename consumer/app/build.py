"""Builds from the configuration the pipeline, its guards, who signs in member accounts, and what follows a fix.

It decides nothing; `consumer.app.threads` puts its parts in their places.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from consumer.aliyun.cloud_config import CloudConfig
from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.kept_credentials import KeptCredentials
from consumer.aliyun.member_role import AssumedRole, MemberRole
from consumer.config import Config, build_exemptions, build_rules
from consumer.core.observers import Hooks
from consumer.engine.change import ChangeMaker
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.pipeline import OpenTarget, Pipeline
from consumer.engine.routing import Routing
from consumer.guards.breaker import LocalBreakers
from consumer.guards.chain import Guards
from consumer.guards.confirmation import without_an_evaluator
from consumer.guards.contest import LocalContest
from consumer.guards.limits import LocalLimits
from consumer.guards.memory import GuardMemory
from consumer.guards.pause import PauseSwitch
from consumer.guards.rule import Rule
from consumer.guards.shared.breakers import SharedBreakers
from consumer.guards.shared.contest import SharedContest
from consumer.guards.shared.limits import SharedLimits
from consumer.guards.shared.store import Store, StoreAddress
from consumer.reevaluation.agreement import AgreementPolicy, Agreements, Concluded
from consumer.reevaluation.confirmation import Confirmation
from consumer.reevaluation.requester import Reevaluation
from consumer.telemetry.redaction import SecretRegisteringProvider


def build_switch(config: Config, log_event: Callable[..., object] = lambda *_, **__: None) -> PauseSwitch:
    """The pause switch; what its file does is logged as what a signal does."""

    def notice(held_by: str) -> None:
        if held_by:
            log_event("changes.paused", by=held_by)
        else:
            log_event("changes.resumed", by=f"the file {config.pause.file}, which holds no more")

    file = Path(config.pause.file) if config.pause.file else None
    return PauseSwitch(enabled=config.pause.enabled, file=file, notice=notice)


def build_evaluator(config: Config, own: CredentialsProvider, hooks: Hooks) -> CloudConfig | None:
    """The client of Cloud Config, or None when it is not needed.

    Raises:
        ConfigurationError: it is needed and its package is not installed.
    """
    return CloudConfig(evaluator_url(config), own, hooks) if config.reevaluate.enabled else None


def evaluator_url(config: Config) -> str:
    """The endpoint of Cloud Config."""
    settings = config.reevaluate
    return settings.endpoint or f"https://config.{settings.region}.aliyuncs.com"


def build_store(config: Config, log_event: Callable[..., None]) -> Store | None:
    """What the replicas share about the guards, or None where each counts for itself. No request is sent to it yet.

    Raises:
        ConfigurationError: the client library is not installed.
    """
    settings = config.shared
    if not settings.url:
        return None
    password = os.environ.get("REMEDIATOR_SHARED_PASSWORD") or None
    address = StoreAddress(settings.url, settings.prefix, settings.timeout_seconds, password)
    return Store(address, log_event=log_event)


def build_guards(config: Config, switch: PauseSwitch, store: Store | None, evaluator: CloudConfig | None) -> Guards:
    """Every guard, with nothing in this process's memory."""
    return Guards(
        build_memory(config, store),
        exemptions=build_exemptions(config),
        held_by=switch.held_by,
        confirm=Confirmation(evaluator, config.account_id) if evaluator else without_an_evaluator,
    )


def build_memory(config: Config, store: Store | None) -> GuardMemory:
    """What the guards count, in the store if there is one."""
    rules = [rule.name for rule in config.rules]
    own_limits = {rule.name: rule.limit for rule in build_rules(config) if rule.limit}
    overall, breaker, contest = config.limits.build(), config.breaker.build(), config.contest.build()
    if store is None:
        return GuardMemory(LocalLimits(overall, own_limits), LocalBreakers(breaker), LocalContest(contest))
    # A request may begin just before the budget ends, and the read-back still follows it.
    longest = config.engine.work_budget_seconds + 4 * config.oss.call_timeout_seconds
    return GuardMemory(
        SharedLimits(store, overall, own_limits, longest_change_seconds=longest),
        SharedBreakers(store, breaker, rules, longest_probe_seconds=longest),
        SharedContest(store, contest, rules),
    )


def build_pipeline(
    config: Config, rules: Sequence[Rule], open_target: OpenTarget, guards: Guards, changes: ChangeMaker
) -> Pipeline:
    """The way from a body to an ending, for these rules, in the accounts that the configuration names.

    Commands give rules of their own: those of the configuration with other modes.
    """
    routing = Routing(rules, {config.account_id, *config.accounts.allowed}, config.oss_default_region)
    seconds = config.engine.work_budget_seconds
    return Pipeline(routing, open_target, guards, changes, work_budget_seconds=seconds)


def member_roles(config: Config) -> list[MemberRole]:
    """The roles that are assumed in member accounts."""
    settings = config.accounts
    return [
        MemberRole(account, settings.role_name, settings.session_name, settings.duration_seconds, settings.sts_endpoint)
        for account in settings.allowed
        if account != config.account_id
    ]


def build_members(config: Config, own: CredentialsProvider) -> dict[str, KeptCredentials]:
    """How to sign for each account that is allowed besides our own; no request is sent to STS yet."""
    return {
        role.account_id: KeptCredentials(SecretRegisteringProvider(AssumedRole(role, own)), only_if_used=True)
        for role in member_roles(config)
    }


def build_agreement(config: Config) -> AgreementPolicy | None:
    """Under which policy a fix has to convince Cloud Config too, or None when it need not."""
    settings = config.reevaluate
    if not (settings.enabled and settings.wait_for_agreement):
        return None
    return AgreementPolicy(config.account_id, settings.agreement_timeout_seconds)


def build_reevaluation(
    config: Config,
    evaluator: CloudConfig | None,
    stopping: threading.Event,
    heartbeat: Heartbeat,
    on_concluded: Callable[[Concluded], None],
) -> Reevaluation | None:
    """What requests new evaluations from Cloud Config, or None when that is switched off."""
    settings, agreement = config.reevaluate, build_agreement(config)
    if evaluator is None:
        return None
    return Reevaluation(
        evaluator,
        stopping,
        heartbeat,
        account_id=config.account_id,
        max_per_minute=settings.max_per_minute,
        agreements=Agreements(agreement.timeout_seconds, on_concluded) if agreement else None,
    )
