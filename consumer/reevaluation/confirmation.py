"""Asks the evaluator whether it really finds a resource non-compliant, before a change that cannot be taken back."""

from __future__ import annotations

from typing import Protocol

from consumer.core.errors import ServiceError
from consumer.core.evaluation import Judgement, Subject
from consumer.core.event import Event
from consumer.guards.rule import Rule


class Judge(Protocol):
    """What can be asked; `consumer.aliyun.cloud_config` implements it."""

    def judgements(self, subject: Subject) -> tuple[Judgement, ...]:
        """The newest result of every rule on one resource.

        Raises:
            ServiceError: the service did not tell.
        """
        ...


class Confirmation:
    """Confirms one-way changes; shared by all workers, since it keeps nothing."""

    def __init__(self, judge: Judge, account_id: str) -> None:
        """Ask `judge`, which knows the resources of one account."""
        self._judge = judge
        self._account_id = account_id

    def __call__(self, rule: Rule, event: Event) -> str:
        """Why the change is not confirmed; empty if it is: a `consumer.guards.confirmation.Confirm`."""
        if event.account_id != self._account_id:
            return f"resources of account {event.account_id} are judged by its own Cloud Config, which is not asked"
        try:
            found = self._judge.judgements(Subject(event.resource_type, event.resource_id, event.region))
        except ServiceError as error:
            return f"the evaluator does not answer: {error}"
        judged = next((each for each in found if each.config_rule_id == event.config_rule_id), None)
        if judged is None:
            return f"the evaluator has no result of the rule {event.config_rule_id} on this resource"
        if judged.compliance != "NON_COMPLIANT":
            return f"the evaluator calls it {judged.compliance} by the rule {event.config_rule_id}"
        if not rule.selector.names(judged.config_rule_id, judged.config_rule_name):
            return (
                f"the evaluator's rule {event.config_rule_id} is called {judged.config_rule_name!r}, which is none that"
                " this rule names in config_rule_ids or rule_names"
            )
        return ""
