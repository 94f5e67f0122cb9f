"""Control endpoints for faults: switch on, list with counts, switch off, seed the dice."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import DONE, Json
from emulator.control.bodies import FaultBody, SeedBody, read
from emulator.faults import Fault
from emulator.world import World


class FaultEndpoints:
    """The world's faults."""

    def __init__(self, world: World) -> None:
        self._faults = world.faults

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/faults", self.listed, methods=["GET"]),
            Route("/faults", self.add, methods=["POST"]),
            Route("/faults", self.clear, methods=["DELETE"]),
            Route("/faults/seed", self.seed, methods=["POST"]),
            Route("/faults/{fault_id:int}", self.remove, methods=["DELETE"]),
        ]

    async def listed(self, _: Request) -> Response:
        """Faults that are on, and how often each has struck, those that are used up included."""
        active = [self._shown(fault) for fault in self._faults.active()]
        return Json({"faults": active, "struck": self._faults.struck})

    async def add(self, request: Request) -> Response:
        """Switch one on."""
        body = await read(request, FaultBody)
        return Json(self._shown(self._faults.add(Fault(id=0, **body.model_dump()))), 201)

    async def clear(self, _: Request) -> Response:
        """Switch all off."""
        self._faults.clear()
        return Json(DONE)

    async def remove(self, request: Request) -> Response:
        """Switch one off; one that is off already is no error."""
        self._faults.remove(request.path_params["fault_id"])
        return Json(DONE)

    async def seed(self, request: Request) -> Response:
        """Start the dice anew."""
        self._faults.seed((await read(request, SeedBody)).seed)
        return Json(DONE)

    def _shown(self, fault: Fault) -> dict[str, Any]:
        return {**asdict(fault), "struck": self._faults.struck[fault.id]}
