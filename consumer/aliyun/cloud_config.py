"""The Cloud Config gateway: asks for an evaluation of one resource, and for its results.

The only module that imports that vendor's package. It is an optional extra, so it is imported when the gateway is made
and not before.

StartConfigRuleEvaluationByResource:
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-startconfigruleevaluationbyresource
ListResourceEvaluationResults:
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-listresourceevaluationresults
GetConfigRule:
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-getconfigrule
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

from consumer.aliyun import direct
from consumer.aliyun.credentials import CredentialsProvider
from consumer.core.errors import ConfigurationError, PermissionMissing, Retryable, ServiceError, Throttled, Unanswered
from consumer.core.evaluation import Judgement, Subject
from consumer.core.observers import ApiCall, Hooks

_MOST_RESULTS = 100
"""The service's limit for one answer. Further ones are not asked for: a rule beyond them is one that is not known."""

_CONNECT_TIMEOUT_MS, _READ_TIMEOUT_MS = 5_000, 10_000

LONGEST_CALL_SECONDS = (_CONNECT_TIMEOUT_MS + _READ_TIMEOUT_MS) / 1_000


class CloudConfig:
    """One endpoint of Cloud Config; it keeps no connection, so any thread may ask."""

    def __init__(
        self,
        endpoint: str,
        credentials: CredentialsProvider,
        hooks: Hooks,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reach the service at `endpoint`, a URL.

        Raises:
            ConfigurationError: the package is not installed.
        """
        prove_installed()
        self._client = importlib.import_module("alibabacloud_config20200907.client").Client
        self._models: Any = importlib.import_module("alibabacloud_config20200907.models")
        self._settings = importlib.import_module("alibabacloud_tea_openapi.models").Config
        direct.install_for_cloud_config()
        self._protocol, _, self._host = endpoint.partition("://")
        self._credentials = credentials
        self._hooks = hooks
        self._monotonic = monotonic

    def evaluate(self, resource_id: str) -> None:
        """Ask for an evaluation of every rule on that resource; its result comes later, and not to us.

        Raises:
            ServiceError: the service did not take the request.
        """
        request = self._models.StartConfigRuleEvaluationByResourceRequest(resource_id=resource_id)
        self._call(
            "StartConfigRuleEvaluationByResource",
            lambda client: client.start_config_rule_evaluation_by_resource(request).body,
        )

    def judgements(self, subject: Subject) -> tuple[Judgement, ...]:
        """The newest result of each rule on one resource, of up to 100 rules.

        Raises:
            ServiceError: the service did not tell.
        """
        request = self._models.ListResourceEvaluationResultsRequest(
            resource_id=subject.resource_id,
            resource_type=subject.resource_type,
            region=subject.region or None,
            max_results=_MOST_RESULTS,
        )
        body = self._call(
            "ListResourceEvaluationResults", lambda client: client.list_resource_evaluation_results(request).body
        )
        results = body.evaluation_results
        return tuple(
            judgement
            for result in (results.evaluation_result_list if results else None) or ()
            if (judgement := _judgement(result)) is not None
        )

    def identifier(self, config_rule_id: str) -> str:
        """The managed rule's identifier behind one of the account's rules; empty for a rule of somebody's own.

        Raises:
            ServiceError: the service did not tell.
        """
        request = self._models.GetConfigRuleRequest(config_rule_id=config_rule_id)
        body = self._call("GetConfigRule", lambda client: client.get_config_rule(request).body)
        source = body.config_rule.source if body.config_rule else None
        return str(source.identifier or "") if source else ""

    def _call(self, operation: str, request: Callable[[Any], Any]) -> Any:
        """The body of the answer."""
        started, code, asked = self._monotonic(), "ok", ""
        try:
            body = request(self._connected())
            asked = str(body.request_id or "")
        except ServiceError as error:
            code = error.code
            raise
        except Exception as raised:  # noqa: BLE001 - the package raises whatever its HTTP client and parsers raise
            failure = _translated(operation, raised)
            code, asked = failure.code, failure.request_id
            raise failure from None
        else:
            return body
        finally:
            self._hooks.api_call(ApiCall("config", operation, code, self._monotonic() - started, asked))

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


def prove_installed() -> None:
    """Import what the gateway needs, which is an optional extra.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        importlib.import_module("alibabacloud_config20200907.client")
        importlib.import_module("alibabacloud_config20200907.models")
        importlib.import_module("alibabacloud_tea_openapi.models")
    except ImportError as error:
        raise ConfigurationError(
            f"reevaluate.enabled: the package for it is not installed ({error.name} is missing)",
            "install the worker with its extra: pip install '.[reevaluate]' in a checkout, pip install"
            " 'FILE.whl[reevaluate]' for a wheel, docker build --build-arg LOCK=reevaluate for the image; or set"
            " reevaluate.enabled = false",
        ) from error


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
    code = str(getattr(raised, "code", "") or "")
    if not code:
        return Unanswered("config", operation, "network", type(raised).__name__)
    data = getattr(raised, "data", None)
    request_id = str(data.get("RequestId", "")) if isinstance(data, dict) else ""
    kind = ServiceError
    if code.startswith("Throttling"):
        kind = Throttled
    elif code.startswith(("NoPermission", "Forbidden")):
        kind = PermissionMissing
    return kind("config", operation, code, "Cloud Config did not take the request", request_id=request_id)
