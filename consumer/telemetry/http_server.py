"""Answers `/metrics`, `/livez`, `/readyz` and, for people, `/`, on threads that cannot hold up the service or another.

What alive and ready mean is decided by the callables passed in; this module only reports. Probes are answered by the
thread that reads them; metrics and the status page are rendered by another one.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CollectorRegistry

from consumer.core.errors import ConfigurationError
from consumer.telemetry.http_loop import HttpLoop
from consumer.telemetry.http_messages import Request, Response, SendResponse, text_response
from consumer.telemetry.log import get_logger
from consumer.telemetry.redaction import redactor
from consumer.telemetry.scrapes import STATUS_PAGE, Draw, Scrapes

STEP_SECONDS = 5.0
"""For reading a request; as long again for answering it, and for sending the answer."""

_LONGEST_REASON = 500

Check = Callable[[], str]
"""Nothing while all is well, else the reason why not. Looks at memory alone: probes wait for it."""


class HealthServer:
    """One listening socket; bound when made, served from `start` to `close`."""

    def __init__(
        self,
        host: str,
        port: int,
        registry: CollectorRegistry,
        *,
        live: Check,
        ready: Check,
        draw: Draw | None = None,
        step_seconds: float = STEP_SECONDS,
    ) -> None:
        """Bind the socket; port 0 takes any free one, which `port` then names. Without `draw` there is no status page.

        Raises:
            ConfigurationError: the address cannot be listened on.
        """
        self._checks = {"/livez": live, "/readyz": ready}
        self._scrapes = Scrapes(registry, draw)
        self._rendered = {"/metrics"} if draw is None else {"/metrics", STATUS_PAGE}
        try:
            self._loop = HttpLoop(host, port, self._respond, step_seconds=step_seconds)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(f"http.port = {port}: cannot listen on {host}: {error}") from error
        self.port = self._loop.port

    def start(self) -> None:
        """Answer from now on, on threads of its own."""
        self._scrapes.start()
        self._loop.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        self._scrapes.close()
        self._loop.close()

    def _respond(self, request: Request, reply: SendResponse) -> None:
        if request.path not in self._rendered and request.path not in self._checks:
            reply(text_response(HTTPStatus.NOT_FOUND, "there is /metrics, /livez and /readyz"))
        elif request.method not in ("GET", "HEAD"):
            reply(text_response(HTTPStatus.METHOD_NOT_ALLOWED, "GET or HEAD", ("Allow", "GET, HEAD")))
        elif request.path in self._rendered:
            self._scrapes.request(request, reply)
        else:
            reply(_checked(self._checks[request.path]))


def _checked(check: Check) -> Response:
    try:
        reason = check()
    except Exception as error:  # noqa: BLE001 - a fault in a check is an answer too, and never a traceback
        get_logger("consumer.health").error("health.failed", error=f"{type(error).__name__}: {error}")
        return text_response(HTTPStatus.INTERNAL_SERVER_ERROR, "the check itself failed")
    if reason:
        return text_response(HTTPStatus.SERVICE_UNAVAILABLE, redactor.clean(reason)[:_LONGEST_REASON])
    return text_response(HTTPStatus.OK, "ok")
