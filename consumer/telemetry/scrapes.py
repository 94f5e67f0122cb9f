"""Renders metrics and the status page on a thread of its own, once for all who wait, and not for more than its share.

Rendering costs milliseconds of the interpreter that also does the repairs, and anybody who reaches the port may ask for
it. So there is one renderer, it rests in proportion to what a page took, and no probe ever waits for it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CollectorRegistry, make_wsgi_app

from consumer.core import threads
from consumer.telemetry.http_messages import Request, Response, SendResponse, text_response
from consumer.telemetry.log import get_logger

MOST_WAITING = 256
_REST = 4
"""How many times as long as a page took the renderer rests after it: a fifth of one processor at the most."""

STATUS_PAGE = "/"

Draw = Callable[[], Response]
"""Renders the status page; may take its time, for only those who requested a page wait for it."""

_Variant = tuple[str, str, str, str]
"""What is rendered: the path; of metrics also accepted formats and encodings, and the query, which may name some."""


class Scrapes:
    """Takes requests for the page from any thread and answers them from its own."""

    def __init__(
        self,
        registry: CollectorRegistry,
        draw: Draw | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._draw = draw
        self._application = make_wsgi_app(registry)
        self._monotonic = monotonic
        self._waiting: OrderedDict[_Variant, list[SendResponse]] = OrderedDict()
        self._count = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health-metrics", daemon=True)

    def start(self) -> None:
        """Render from now on."""
        threads.start(self._thread)

    def close(self) -> None:
        """Stop; who still waits gets no answer."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def request(self, request: Request, reply: SendResponse) -> None:
        """Answer with a page that is rendered after this moment."""
        headers = request.headers
        variant = (request.path, headers.get("accept", ""), headers.get("accept-encoding", ""), request.query)
        if request.path == STATUS_PAGE:
            variant = (STATUS_PAGE, "", "", "")  # the same for everybody
        with self._changed:
            room = self._count < MOST_WAITING
            if room:
                self._count += 1
                self._waiting.setdefault(variant, []).append(reply)
                self._changed.notify()
        if not room:
            reply(text_response(HTTPStatus.SERVICE_UNAVAILABLE, "too many scrapes are waiting"))

    def _run(self) -> None:
        while not self._closing.is_set():
            with self._changed:
                while not self._waiting and not self._closing.is_set():
                    self._changed.wait()
                if self._closing.is_set():
                    return
                variant, replies = self._waiting.popitem(last=False)
                self._count -= len(replies)
            began = self._monotonic()
            page = self._page(variant)
            for reply in replies:
                reply(page)
            self._closing.wait(_REST * (self._monotonic() - began))

    def _page(self, variant: _Variant) -> Response:
        try:
            return self._rendered(variant)
        except Exception as error:  # noqa: BLE001 - a collector that fails is an answer too, and never a traceback
            get_logger("consumer.health").error("health.failed", error=f"{type(error).__name__}: {error}")
            return text_response(HTTPStatus.INTERNAL_SERVER_ERROR, "the page could not be rendered")

    def _rendered(self, variant: _Variant) -> Response:
        path, accept, encoding, query = variant
        if path == STATUS_PAGE and self._draw is not None:
            return self._draw()
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/metrics",
            "QUERY_STRING": query,
            "HTTP_ACCEPT": accept,
            "HTTP_ACCEPT_ENCODING": encoding,
        }
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            begun.append((status, headers))

        body = b"".join(self._application(environ, start_response))
        status, headers = begun[0]
        return Response(HTTPStatus(int(status.split(" ", 1)[0])), body, tuple(headers))
