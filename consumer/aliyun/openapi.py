"""Requests to the vendor's RPC services through its own generic client: signed by version 3, direct and bounded.

The client is the one that every service's package of the vendor's is built on. What such a package would add is a
thousand classes for the answers, of which a few fields are read here. It is an optional extra, so it is imported when
the first gateway is made and not before.

https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consumer.aliyun import direct
from consumer.aliyun.credentials import CredentialsProvider
from consumer.core.errors import ConfigurationError, DamagedReply, Retryable, ServiceError
from consumer.core.observers import ApiCall, Hooks

ToError = Callable[[str, str, str, int, str], ServiceError]
"""Operation, code, text, status and request id of a refusal in; the error that it is out."""


@dataclass(frozen=True, slots=True)
class ApiService:
    """One of the vendor's services."""

    name: str
    """As metrics, logs and RAM name it: `ecs`."""
    version: str
    judge: ToError


@dataclass(frozen=True, slots=True)
class CallTimeouts:
    """How long one request may take."""

    connect_seconds: float
    call_seconds: float
    """Connecting included."""


class OpenApi:
    """Sends requests; it keeps no connection, so any thread may call it."""

    def __init__(
        self, timeouts: CallTimeouts, hooks: Hooks, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Find the client.

        Raises:
            ConfigurationError: it is not installed.
        """
        prove_installed()
        self._client: Any = importlib.import_module("alibabacloud_tea_openapi.client").Client
        self._models: Any = importlib.import_module("alibabacloud_tea_openapi.models")
        self._utils: Any = importlib.import_module("alibabacloud_tea_openapi.utils").Utils
        self._runtime: Any = importlib.import_module("darabonba.runtime").RuntimeOptions
        direct.install_for_open_api()
        connect = min(timeouts.connect_seconds, timeouts.call_seconds)
        self._connect_ms = max(1, round(connect * 1_000))
        self._read_ms = max(1, round((timeouts.call_seconds - connect) * 1_000))
        self._hooks = hooks
        self._monotonic = monotonic

    def call(
        self,
        service: ApiService,
        url: str,
        credentials: CredentialsProvider,
        operation: str,
        parameters: Mapping[str, Any],
    ) -> tuple[Mapping[str, Any], str]:
        """The body of the answer to one request, and the service's id of the request.

        Lists and tables in `parameters` are written as the services expect them: `Permissions.1.IpProtocol`.

        Raises:
            ServiceError: the service did not take the request, or nothing that can be understood came back.
        """
        started, code, request_id = self._monotonic(), "ok", ""
        try:
            body = self._sent(service, url, credentials, operation, parameters)
            request_id = text(body, "RequestId")
        except ServiceError as error:
            code, request_id = error.code, error.request_id
            raise
        else:
            return body, request_id
        finally:
            self._hooks.api_call(ApiCall(service.name, operation, code, self._monotonic() - started, request_id))

    def _sent(
        self,
        service: ApiService,
        url: str,
        credentials: CredentialsProvider,
        operation: str,
        parameters: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        key = credentials.get_credentials()
        protocol, _, host = url.partition("://")
        try:
            client = self._client(
                self._models.Config(
                    access_key_id=key.access_key_id,
                    access_key_secret=key.secret,
                    security_token=key.token or None,
                    endpoint=host,
                    protocol=protocol,
                    connect_timeout=self._connect_ms,
                    read_timeout=self._read_ms,
                )
            )
            api = self._models.Params(
                action=operation,
                version=service.version,
                protocol=protocol,
                pathname="/",
                method="POST",
                auth_type="AK",
                style="RPC",
                req_body_type="formData",
                body_type="json",
            )
            request = self._models.OpenApiRequest(query=self._utils.query(dict(parameters)))
            body = client.call_api(api, request, self._runtime())["body"]
        except Exception as raised:  # noqa: BLE001 - the client raises whatever its HTTP layer and parsers raise
            raise _translated(service, operation, raised) from None
        if not isinstance(body, dict):
            raise DamagedReply(service.name, operation, "damaged_reply", "the answer is no JSON object")
        return body


def prove_installed() -> None:
    """Import what the client consists of, which is an optional extra.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        importlib.import_module("alibabacloud_tea_openapi.client")
        importlib.import_module("alibabacloud_tea_openapi.models")
        importlib.import_module("darabonba.runtime")
    except ImportError as error:
        raise ConfigurationError(
            f"the rules are about security groups, and the package for them is not installed ({error.name} is missing)",
            "install the worker with its extra: pip install '.[ecs]' in a checkout, pip install 'FILE.whl[ecs]' for a"
            " wheel, docker build --build-arg LOCK=reevaluate for the image; or take the rules out",
        ) from error


def text(answer: Mapping[str, Any], name: str) -> str:
    """A field of an answer that is a text; empty where there is none."""
    found = answer.get(name)
    return found if isinstance(found, str) else ""


def _translated(service: ApiService, operation: str, raised: Exception) -> ServiceError:
    """What the client raised, as an error of ours; it wraps what our transport raises below it."""
    inner = getattr(raised, "inner_exception", None) or raised
    if isinstance(inner, Retryable):
        return type(inner)(service.name, operation, inner.code, str(inner.args[0]))
    code = str(getattr(inner, "code", "") or "")
    if code:
        status = getattr(inner, "status_code", None)
        data = getattr(inner, "data", None)
        request_id = text(data, "RequestId") if isinstance(data, dict) else ""
        refusal = "the service did not take the request"
        return service.judge(operation, code, refusal, status if isinstance(status, int) else 0, request_id)
    # No answer at all is an error of our transport, so there was one, and the client could not read it.
    what = f"what came back is not an answer of the service ({type(inner).__name__})"
    return DamagedReply(service.name, operation, "damaged_reply", what)
