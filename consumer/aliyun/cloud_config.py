"""The Cloud Config gateway: requests evaluations, for their results, and for the rules that there are.

The only module that imports that vendor's package. It is an optional extra, so it is imported when the gateway is made
and not before.

StartConfigRuleEvaluationByResource:
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-startconfigruleevaluationbyresource
ListResourceEvaluationResults:
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-listresourceevaluationresults
GetConfigRule:
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-getconfigrule
ListConfigRules, ListConfigRuleEvaluationResults, StartConfigRuleEvaluation, and the form of each for an account group:
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-listaggregateconfigrules and so on
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from consumer.aliyun import direct, evaluation_lists
from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.error_codes import CONFIG, kind_of
from consumer.core.errors import (
    ConfigurationError,
    DamagedReply,
    NotAuthenticated,
    PermissionMissing,
    Retryable,
    ServiceError,
    Throttled,
    Unanswered,
)
from consumer.core.evaluation import EvaluatorRule, Judgement, ListPage, Subject, Violation
from consumer.core.observers import ApiCall, Hooks

_T = TypeVar("_T")

_MOST_RESULTS = evaluation_lists.MOST_ON_A_PAGE
"""Of one resource. Further ones are not read: the result of a rule beyond them counts as not known."""

_TEXTS: Mapping[type[ServiceError], str] = {
    NotAuthenticated: "Cloud Config does not accept the credentials or the clock",
    PermissionMissing: "RAM does not grant the action",
    Throttled: "Cloud Config asks for fewer requests",
}

_CONNECT_TIMEOUT_MS, _READ_TIMEOUT_MS = 5_000, 10_000

_LONGEST_WORD = 128

REEVALUATE = "reevaluate.enabled"
"""The key that asks for this gateway in the worker."""

LONGEST_CALL_SECONDS = (_CONNECT_TIMEOUT_MS + _READ_TIMEOUT_MS) / 1_000


class CloudConfig:
    """One endpoint of Cloud Config; it keeps no connection, so any thread may call it."""

    def __init__(
        self,
        endpoint: str,
        credentials: CredentialsProvider,
        hooks: Hooks,
        *,
        wanted_by: str = REEVALUATE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reach the service at `endpoint`, a URL; `wanted_by` is what cannot do without its package.

        Raises:
            ConfigurationError: the package is not installed.
        """
        prove_installed(wanted_by)
        self._client = importlib.import_module("alibabacloud_config20200907.client").Client
        self._models: Any = importlib.import_module("alibabacloud_config20200907.models")
        self._settings = importlib.import_module("alibabacloud_tea_openapi.models").Config
        direct.install_for_open_api()
        self._protocol, _, self._host = endpoint.partition("://")
        self._credentials = credentials
        self._hooks = hooks
        self._monotonic = monotonic

    def evaluate(self, resource_id: str) -> None:
        """Request an evaluation of every rule on that resource; its result comes later, and not to us.

        Raises:
            ServiceError: the service did not take the request.
        """
        self._call("StartConfigRuleEvaluationByResource", _nothing, resource_id=resource_id)

    def judgements(self, subject: Subject) -> tuple[Judgement, ...]:
        """The newest result of each rule on one resource, of up to 100 rules.

        Raises:
            ServiceError: the request failed.
        """
        return self._call(
            "ListResourceEvaluationResults",
            _judgements,
            resource_id=subject.resource_id,
            resource_type=subject.resource_type,
            region=subject.region or None,
            max_results=_MOST_RESULTS,
        )

    def identifier(self, config_rule_id: str) -> str:
        """The managed rule's identifier behind one of the account's rules; empty for a rule of somebody's own.

        Raises:
            ServiceError: the request failed.
        """
        return self._call("GetConfigRule", _identifier, config_rule_id=config_rule_id)

    def rules(self, number: int, aggregator_id: str = "") -> ListPage[EvaluatorRule]:
        """One page of the rules of the account, or of an account group; pages count from 1, and end with an empty one.

        Raises:
            ServiceError: the request failed.
        """
        form, group = _form(aggregator_id)
        size = evaluation_lists.MOST_ON_A_PAGE
        return self._call(
            f"List{form}ConfigRules", evaluation_lists.rules_on, page_number=number, page_size=size, **group
        )

    def violations(
        self, config_rule_id: str, token: str, size: int, *, aggregator_id: str = "", account_id: str = ""
    ) -> ListPage[Violation]:
        """One page of what is non-compliant now by a rule; `token` is empty for the first one, `size` is 1 to 100.

        With an account group its members' resources are listed as well, or only those of `account_id`.

        Raises:
            ServiceError: the request failed.
        """
        form, group = _form(aggregator_id)
        if form and account_id:
            group["resource_account_id"] = int(account_id)
        return self._call(
            f"List{form}ConfigRuleEvaluationResults",
            evaluation_lists.violations_on,
            config_rule_id=config_rule_id,
            compliance_type="NON_COMPLIANT",
            max_results=size,
            next_token=token or None,
            **group,
        )

    def evaluate_rule(self, config_rule_id: str, aggregator_id: str = "") -> None:
        """Request an evaluation of all that a rule is about; what it finds is published as events, not returned.

        Raises:
            ServiceError: the service did not take the request.
        """
        form, group = _form(aggregator_id)
        self._call(f"Start{form}ConfigRuleEvaluation", _nothing, config_rule_id=config_rule_id, **group)

    def _call(self, operation: str, read: Callable[[Any], _T], **parameters: Any) -> _T:
        """What `read` makes of the body of the answer to one request."""
        request = getattr(self._models, f"{operation}Request")(**parameters)
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        started, code, request_id = self._monotonic(), "ok", ""
        try:
            body = getattr(self._connected(), method)(request).body
            request_id = _word(body.request_id)
            return read(body)
        except ServiceError as error:
            code = error.code
            raise
        except Exception as raised:  # noqa: BLE001 - the package raises whatever its HTTP client and parsers raise
            failure = _translated(operation, raised)
            code, request_id = failure.code, failure.request_id or request_id
            raise failure from None
        finally:
            self._hooks.api_call(ApiCall("config", operation, code, self._monotonic() - started, request_id))

    def _connected(self) -> Any:
        """A client with the credentials of now: it keeps those it was made with."""
        key = self._credentials.get_credentials()
        return self._client(
            self._settings(
                access_key_id=key.access_key_id,
                access_key_secret=key.secret,
                security_token=key.token or None,
                endpoint=self._host,
                protocol=self._protocol,
                connect_timeout=_CONNECT_TIMEOUT_MS,
                read_timeout=_READ_TIMEOUT_MS,
            )
        )


def prove_installed(wanted_by: str = REEVALUATE) -> None:
    """Import what the gateway needs, which is an optional extra.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        importlib.import_module("alibabacloud_config20200907.client")
        importlib.import_module("alibabacloud_config20200907.models")
        importlib.import_module("alibabacloud_tea_openapi.models")
    except ImportError as error:
        otherwise = "; or set reevaluate.enabled = false" if wanted_by == REEVALUATE else ""
        raise ConfigurationError(
            f"{wanted_by}: the package for it is not installed ({error.name} is missing)",
            "install the worker with its extra: pip install '.[reevaluate]' in a checkout, pip install"
            f" 'FILE.whl[reevaluate]' for a wheel, docker build --build-arg LOCK=reevaluate for the image{otherwise}",
        ) from error


def _word(value: object) -> str:
    """A code or an id of the service's, no longer than any of them is."""
    return str(value)[:_LONGEST_WORD] if value else ""


def _form(aggregator_id: str) -> tuple[str, dict[str, Any]]:
    """What an operation's name holds where it is about an account group, and the parameter that names the group."""
    return ("Aggregate", {"aggregator_id": aggregator_id}) if aggregator_id else ("", {})


def _nothing(_body: Any) -> None:
    """What an answer says that only confirms the request."""


def _identifier(body: Any) -> str:
    source = body.config_rule.source if body.config_rule else None
    return str(source.identifier or "") if source else ""


def _judgements(body: Any) -> tuple[Judgement, ...]:
    results = body.evaluation_results
    return tuple(
        judgement
        for result in (results.evaluation_result_list if results else None) or ()
        if (judgement := _judgement(result)) is not None
    )


def _judgement(result: Any) -> Judgement | None:
    """One result, unless it does not say whose or when; the package leaves out what the service left out."""
    identifier = result.evaluation_result_identifier
    qualifier = identifier.evaluation_result_qualifier if identifier else None
    rule = qualifier.config_rule_id if qualifier else None
    judged_at_ms = identifier.ordering_timestamp if identifier else None
    if not isinstance(rule, str) or not isinstance(judged_at_ms, int):
        return None
    return Judgement(rule, str(result.compliance_type or ""), judged_at_ms)


def _translated(operation: str, raised: Exception) -> ServiceError:
    """The error by its code, as far as the package has one; it wraps what our transport raises below it."""
    inner = getattr(raised, "inner_exception", None)
    if isinstance(inner, Retryable):
        return type(inner)("config", operation, inner.code, str(inner.args[0]))
    code = _word(getattr(raised, "code", ""))
    if not code:
        if isinstance(raised, (AttributeError, KeyError, RecursionError, TypeError, ValueError)):
            # The package reads an answer of another form with these.
            return DamagedReply("config", operation, "unexpected_reply", "the answer is nothing that the service gives")
        return Unanswered("config", operation, "network", type(raised).__name__)
    data = getattr(raised, "data", None)
    request_id = _word(data.get("RequestId")) if isinstance(data, dict) else ""
    status = getattr(raised, "status_code", None)
    # The part behind the dot says in which way: `Throttling.User`, `InvalidSecurityToken.Expired`.
    kind = kind_of(CONFIG, code.partition(".")[0], status if isinstance(status, int) else 0)
    return kind("config", operation, code, _TEXTS.get(kind, "Cloud Config refuses the request"), request_id=request_id)
