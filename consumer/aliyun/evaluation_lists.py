"""Reads Cloud Config's lists of rules and of results out of the vendor's models, which take any JSON for any field.

Fields: the pages of the operations, https://www.alibabacloud.com/help/en/cloud-config/latest/ and there
api-config-2020-09-07-listconfigrules and api-config-2020-09-07-listconfigruleevaluationresults. That
LastNonCompliantRecordTimestamp is "the start time of the last non-compliance" is what the response models of the
service's Java and Go clients say of it.
"""

from __future__ import annotations

from typing import Any

from consumer.core.evaluation import EvaluatorRule, ListPage, Violation

MOST_ON_A_PAGE = 100
"""The service's limit for one answer of either list."""

_LONGEST_TEXT = 1024
_LONGEST_TOKEN = 4096
_LONGEST_ANNOTATION = 1024
"""A longer one, which may quote a whole policy, is left out: nothing decides by it, and a run keeps 100,000 of them."""
_OFF = "INACTIVE"


class Unreadable(ValueError):
    """An answer is nothing that the service would give."""


def rules_on(body: Any) -> ListPage[EvaluatorRule]:
    """The rules in an answer to List(Aggregate)ConfigRules.

    Raises:
        Unreadable: it is no such answer.
    """
    found = body.config_rules
    listed = _entries(found, "config_rule_list", known=found is not None and isinstance(found.total_count, int))
    rules = [_rule(entry) for entry in listed]
    read = tuple(rule for rule in rules if rule is not None)
    return ListPage(read, len(rules) - len(read))


def violations_on(body: Any) -> ListPage[Violation]:
    """The results in an answer to List(Aggregate)ConfigRuleEvaluationResults that are non-compliant.

    Raises:
        Unreadable: it is no such answer.
    """
    results = body.evaluation_results
    known = results is not None and isinstance(results.max_results, int)
    listed = [entry for entry in _entries(results, "evaluation_result_list", known=known) if _counts(entry)]
    violations = [_violation(entry) for entry in listed]
    found = tuple(violation for violation in violations if violation is not None)
    token = results.next_token if results is not None and results.next_token is not None else ""
    if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
        raise Unreadable("NextToken is no text of a usable length")
    return ListPage(found, len(violations) - len(found), token)


def _entries(parent: Any, name: str, *, known: bool) -> list[Any]:
    """The list in an answer; `known` is whether what stands beside every such list is there.

    The models make an empty list of almost anything, and nothing would be easier to take for "all is well".
    """
    listed = getattr(parent, name, None)
    if not isinstance(listed, list) or len(listed) > MOST_ON_A_PAGE or not (listed or known):
        raise Unreadable(f"the answer is no list of at most {MOST_ON_A_PAGE} entries")
    return listed


def _counts(entry: Any) -> bool:
    """Whether an entry is, or may be, a non-compliance: one of another kind that came all the same is none."""
    kind = entry.compliance_type
    return kind is None or kind == "NON_COMPLIANT" or not isinstance(kind, str)


def _rule(entry: Any) -> EvaluatorRule | None:
    rule_id, name = _text(entry.config_rule_id), _text(entry.config_rule_name)
    if not rule_id or name is None:
        return None
    types = _text(entry.resource_types_scope) or ""
    return EvaluatorRule(
        rule_id,
        name,
        _text(entry.source_identifier) or "",
        frozenset(part.strip() for part in types.split(",") if part.strip()),
        entry.config_rule_state != _OFF,
    )


def _violation(entry: Any) -> Violation | None:
    identifier = entry.evaluation_result_identifier
    qualifier = identifier.evaluation_result_qualifier if identifier else None
    if qualifier is None or entry.compliance_type != "NON_COMPLIANT":
        return None
    evaluated_at_ms = _moment(identifier.ordering_timestamp) or _moment(entry.result_recorded_timestamp)
    needed = (qualifier.config_rule_id, qualifier.resource_type, qualifier.resource_id, qualifier.resource_owner_id)
    rule_id, resource_type, resource_id, account_id = map(_text, needed)
    if not (evaluated_at_ms and rule_id and resource_type and resource_id and account_id):
        return None
    annotation = entry.annotation if isinstance(entry.annotation, str) else ""
    began_at_ms = _moment(entry.last_non_compliant_record_timestamp)
    return Violation(
        config_rule_id=rule_id,
        config_rule_name=_text(qualifier.config_rule_name) or "",
        config_rule_arn=_text(qualifier.config_rule_arn) or "",
        identifier="",
        resource_type=resource_type,
        resource_id=resource_id,
        resource_name=_text(qualifier.resource_name) or "",
        region=_text(qualifier.region_id) or "",
        account_id=account_id,
        risk_level=_text(entry.risk_level) or "",
        annotation=annotation if len(annotation) <= _LONGEST_ANNOTATION else "",
        trigger=_text(entry.invoking_event_message_type) or "",
        evaluated_at_ms=evaluated_at_ms,
        since_ms=min(began_at_ms or evaluated_at_ms, evaluated_at_ms),
        since_known=began_at_ms is not None,
    )


def _text(value: Any) -> str | None:
    """A text, or a whole number as one, of a bounded length."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**20:
        return str(value)
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT else None


def _moment(value: Any) -> int | None:
    """A time in milliseconds; also one that is written as text, as other forms of the same values are."""
    text = _text(value)
    return int(text) if text and text.isascii() and text.isdigit() and 0 < int(text) < 10**14 else None
