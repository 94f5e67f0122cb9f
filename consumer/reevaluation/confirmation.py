"""Checks with the evaluator that a resource is non-compliant, before a change that cannot be taken back."""

from __future__ import annotations

from typing import Protocol

from consumer.core.errors import ServiceError
from consumer.core.evaluation import Judgement, Subject
from consumer.core.event import Event
from consumer.guards.rule import Rule


class Judge(Protocol):
    """The requests that confirm a change; `consumer.aliyun.cloud_config` implements it."""

    def judgements(self, subject: Subject) -> tuple[Judgement, ...]:
        """The newest result of every rule on one resource.

        Raises:
            ServiceError: the request failed.
        """
        ...

    def identifier(self, config_rule_id: str) -> str:
        """The managed rule's identifier behind one of the account's rules; empty for a rule of somebody's own.

        Raises:
            ServiceError: the request failed.
        """
        ...


class Confirmation:
    """Confirms one-way changes; shared by all workers, since it keeps nothing."""

    def __init__(self, judge: Judge, account_id: str) -> None:
        """Query `judge`, which knows the resources of one account."""
        self._judge = judge
        self._account_id = account_id

    def __call__(self, rule: Rule, event: Event) -> str:
        """Why the change is not confirmed; empty if it is: a `consumer.guards.confirmation.Confirm`."""
        if event.account_id != self._account_id:
            account = event.account_id
            return (
                f"resources of account {account} are judged by its own Cloud Config, which this worker does not query"
            )
        try:
            found = self._judge.judgements(Subject(event.resource_type, event.resource_id, event.region))
        except ServiceError as error:
            return f"the evaluator does not answer: {error}"
        judged = next((each for each in found if each.config_rule_id == event.config_rule_id), None)
        if judged is None:
            return f"the evaluator has no result of the rule {event.config_rule_id} on this resource"
        if judged.compliance != "NON_COMPLIANT":
            return f"the evaluator calls it {judged.compliance} by the rule {event.config_rule_id}"
        return self._not_about(rule, event.config_rule_id)

    def _not_about(self, rule: Rule, config_rule_id: str) -> str:
        """Why the evaluator's rule is none that this repair is for: a name proves nothing, an id or identifier does."""
        selector, identifiers = rule.selector, {*rule.selector.source_identifiers, *rule.remediation.repairs}
        if config_rule_id in selector.config_rule_ids:
            return ""
        try:
            identifier = self._judge.identifier(config_rule_id)
        except ServiceError as error:
            return f"the evaluator does not say which rule {config_rule_id} is: {error}"
        if identifier in identifiers - {""}:
            return ""
        return f"the evaluator's rule {config_rule_id} is {identifier or 'one of your own'}; name it in config_rule_ids"
