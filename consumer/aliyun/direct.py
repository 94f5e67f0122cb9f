"""The transport below the vendor's credentials providers and Cloud Config client: direct, bounded, without redirects.

The vendor's own transports read HTTP_PROXY and HTTPS_PROXY themselves, for the instance metadata service, too, so that
a proxy sees a role's keys in clear text; they ignore NO_PROXY, and that cannot be switched off. They follow redirects,
have a timeout per read only, and resolve names without any. Neither takes a transport as an argument, so `install`
replaces the one function in each that sends a request: with the provider that starts no thread (see
`consumer.aliyun.credential_sources`) the only patches that this project makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from consumer.aliyun import tls
from consumer.aliyun.http import Exchange, Reply, failure_code
from consumer.core.errors import DamagedReply, Throttled, Unanswered, Unavailable

_CONNECT_MS, _READ_MS = 5_000, 10_000
"""The timeouts of the vendor's transports where none are given, in milliseconds."""


def install() -> None:
    """Put this transport below what of the vendor's packages has been imported or will be; again does no harm."""
    from Tea.core import TeaCore
    from Tea.response import TeaResponse

    TeaCore.do_action = staticmethod(_action(TeaCore.compose_url, TeaResponse, judged=True))


def install_for_open_api() -> None:
    """The same for the optional package that Cloud Config's client stands on; its client judges statuses itself."""
    from darabonba.core import DaraCore
    from darabonba.response import DaraResponse

    DaraCore.do_action = staticmethod(_action(DaraCore.compose_url, DaraResponse, judged=False))


def _action(compose_url: Callable[[Any], str], response: Callable[[], Any], *, judged: bool) -> Callable[..., Any]:
    """What stands for a vendor's `do_action(request, runtime_option)`."""

    def do_action(request: Any, runtime_option: Mapping[str, Any] | None = None) -> Any:
        options = runtime_option or {}
        connect_seconds = int(options.get("connectTimeout") or _CONNECT_MS) / 1_000
        seconds = connect_seconds + int(options.get("readTimeout") or _READ_MS) / 1_000
        body = request.body.encode() if isinstance(request.body, str) else request.body
        url = compose_url(request)
        reply = send(request.method.upper(), url, request.headers, body, connect_seconds, seconds)
        if judged:
            _judge(urlsplit(url).netloc, reply)
        answer = response()
        answer.status_code = reply.status
        answer.status_message = ""
        answer.headers = dict(reply.headers)
        answer.body = reply.body
        return answer

    return do_action


def send(
    method: str, url: str, headers: Mapping[str, Any], body: bytes | None, connect_seconds: float, seconds: float
) -> Reply:
    """One request and its reply, over a connection of its own.

    Raises:
        Unanswered: no whole reply came within so many seconds; the text names the host.
    """
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    connection: HTTPConnection
    if parts.scheme == "https":
        connection = HTTPSConnection(parts.hostname or "", parts.port, context=tls.trusting())
    else:
        connection = HTTPConnection(parts.hostname or "", parts.port)
    exchange = Exchange(connection, connect_seconds)
    sent = {str(name): str(value) for name, value in headers.items() if name.lower() != "host" and value is not None}
    try:
        exchange.begin(seconds)
        connection.request(method, target, body, {"Host": parts.netloc, **sent})
        connection.getresponse().read()
    except Exception as error:  # noqa: BLE001 - whatever it was, no answer came; its text may hold the request
        code = failure_code(error)
        raise Unanswered("credentials", "GetCredentials", code, f"{parts.netloc} does not answer ({code})") from None
    finally:
        connection.close()
    return exchange.reply


def _judge(host: str, reply: Reply) -> None:
    """Distinguish what may pass from a refusal, which the vendor's provider reports itself."""
    what = ("credentials", "GetCredentials")
    if reply.status >= 500:
        raise Unavailable(*what, f"http_{reply.status}", f"{host} answers {reply.status}", status=reply.status)
    if reply.status == 429 or b'"Throttling' in reply.body:
        raise Throttled(*what, "throttled", f"{host} asks for fewer requests", status=reply.status)
    if 300 <= reply.status < 400:
        text = f"{host} answers {reply.status}, a redirect, which is not followed"
        raise DamagedReply(*what, "redirect", text, status=reply.status)
