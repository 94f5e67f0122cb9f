"""Control endpoints for what MNS has outside its data API: dead-letter policies, throttle, caps, figures."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import DONE, Json
from emulator.control.bodies import DeadLetterBody, LongPollCapBody, QueueFiguresBody, Refused, ThrottleBody, read
from emulator.emulation import Emulation
from emulator.mns.attributes import Figures


class QueueEndpoints:
    """The emulated MNS."""

    def __init__(self, emulation: Emulation) -> None:
        self._mns = emulation.mns

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/queues/{queue}/dead-letter-policy", self.set_policy, methods=["PUT"]),
            Route("/queues/{queue}/dead-letter-policy", self.clear_policy, methods=["DELETE"]),
            Route("/consumption-throttle", self.set_throttle, methods=["PUT"]),
            Route("/consumption-throttle", self.clear_throttle, methods=["DELETE"]),
            Route("/long-poll-cap", self.set_cap, methods=["PUT"]),
            Route("/long-poll-cap", self.clear_cap, methods=["DELETE"]),
            Route("/queue-figures", self.set_figures, methods=["PUT"]),
            Route("/queue-figures", self.clear_figures, methods=["DELETE"]),
        ]

    async def set_policy(self, request: Request) -> Response:
        """Move messages to another queue after so many receives."""
        body = await read(request, DeadLetterBody)
        queue = request.path_params["queue"]
        try:
            self._mns.set_dead_letter_policy(queue, body.target_queue, body.max_receive_count)
        except ValueError as error:
            raise Refused(f"{queue} to {body.target_queue}: {error}") from None
        return Json(DONE)

    async def clear_policy(self, request: Request) -> Response:
        """Never move them again."""
        self._mns.clear_dead_letter_policy(request.path_params["queue"])
        return Json(DONE)

    async def set_throttle(self, request: Request) -> Response:
        """Throttle clients that receive without deleting."""
        body = await read(request, ThrottleBody)
        self._mns.set_consumption_throttle(body.max_undeleted, body.window_seconds)
        return Json(DONE)

    async def clear_throttle(self, _: Request) -> Response:
        """Throttle nobody."""
        self._mns.clear_consumption_throttle()
        return Json(DONE)

    async def set_cap(self, request: Request) -> Response:
        """Hold at most so many long polls; further ones are answered at once."""
        self._mns.set_long_poll_cap((await read(request, LongPollCapBody)).polls)
        return Json(DONE)

    async def clear_cap(self, _: Request) -> Response:
        """Hold as many as come."""
        self._mns.set_long_poll_cap(None)
        return Json(DONE)

    async def set_figures(self, request: Request) -> Response:
        """Withdraw from GetQueueAttributes how many messages there are: 0 instead, or nothing."""
        self._mns.set_queue_figures((await read(request, QueueFiguresBody)).figures)
        return Json(DONE)

    async def clear_figures(self, _: Request) -> Response:
        """Tell the truth."""
        self._mns.set_queue_figures(Figures.COUNTED)
        return Json(DONE)
