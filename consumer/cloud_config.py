"""The Cloud Config gateway: asks for an evaluation of one resource. The only module that imports that vendor's package.

It is an optional extra, so it is imported when the gateway is made and not before.

StartConfigRuleEvaluationByResource:
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-startconfigruleevaluationbyresource
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

from consumer.credentials import CredentialsProvider
from consumer.errors import ConfigurationError, PermissionMissing, ServiceError, Throttled, Unanswered
from consumer.hooks import ApiCall, Hooks

_OPERATION = "StartConfigRuleEvaluationByResource"
_CONNECT_TIMEOUT_MS, _READ_TIMEOUT_MS = 5_000, 10_000

LONGEST_CALL_SECONDS = (_CONNECT_TIMEOUT_MS + _READ_TIMEOUT_MS) / 1_000


class CloudConfig:
    """One endpoint of Cloud Config; used by one thread."""

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
        try:
            self._client = importlib.import_module("alibabacloud_config20200907.client").Client
            self._models: Any = importlib.import_module("alibabacloud_config20200907.models")
            self._settings = importlib.import_module("alibabacloud_tea_openapi.models").Config
        except ImportError as error:
            raise ConfigurationError(
                f"reevaluate.enabled: the package for it is not installed ({error.name} is missing)."
                " Install it with: pip install 'config-remediator[reevaluate]', or set reevaluate.enabled = false"
            ) from error
        self._protocol, _, self._host = endpoint.partition("://")
        self._credentials = credentials
        self._hooks = hooks
        self._monotonic = monotonic

    def evaluate(self, resource_id: str) -> None:
        """Ask for an evaluation of every rule on that resource; its result comes later, and not to us.

        Raises:
            ServiceError: the service did not take the request.
        """
        started, code, asked = self._monotonic(), "ok", ""
        try:
            answer = self._connected().start_config_rule_evaluation_by_resource(
                self._models.StartConfigRuleEvaluationByResourceRequest(resource_id=resource_id)
            )
            asked = str(answer.body.request_id or "")
        except ServiceError as error:
            code = error.code
            raise
        except Exception as raised:  # noqa: BLE001 - the package raises whatever its HTTP client and parsers raise
            failure = _translated(raised)
            code, asked = failure.code, failure.request_id
            raise failure from None
        finally:
            self._hooks.api_call(ApiCall("config", _OPERATION, code, self._monotonic() - started, asked))

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


def _translated(raised: Exception) -> ServiceError:
    """The error by its code, as far as the package has one."""
    code = str(getattr(raised, "code", "") or "")
    if not code:
        return Unanswered("config", _OPERATION, "network", type(raised).__name__)
    data = getattr(raised, "data", None)
    request_id = str(data.get("RequestId", "")) if isinstance(data, dict) else ""
    kind = ServiceError
    if code.startswith("Throttling"):
        kind = Throttled
    elif code.startswith(("NoPermission", "Forbidden")):
        kind = PermissionMissing
    return kind("config", _OPERATION, code, "Cloud Config did not take the request", request_id=request_id)
