"""Control endpoints for the emulator as a whole: is it up, what is in it, start over."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import Json
from emulator.control.bodies import OptionsBody, ResetBody, read
from emulator.control.config import shown_rule
from emulator.emulation import Emulation


class WholeEndpoints:
    """The whole emulation."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation
        self._initial_options = dict(emulation.world.options)
        self._initially_journals_reads = emulation.world.journal.reads

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/healthz", self.health, methods=["GET"]),
            Route("/state", self.state, methods=["GET"]),
            Route("/reset", self.reset, methods=["POST"]),
            Route("/options", self.options, methods=["GET"]),
            Route("/options", self.set_options, methods=["PUT"]),
        ]

    async def health(self, _: Request) -> Response:
        """Answers as soon as the emulator serves."""
        world = self._emulation.world
        return Json(
            {
                "status": "ok",
                "mns": world.mns_url,
                "oss": world.oss_url,
                "ecs": world.ecs_url,
                "control": world.control_url,
                "account_id": world.account_id,
                "region": world.region,
            }
        )

    async def state(self, _: Request) -> Response:
        """Queues, topics, buckets, security groups and rules as they are now."""
        emulation = self._emulation
        rules = [shown_rule(rule) for rule in emulation.config.rules.values()]
        services = {each.name: each.state() for each in (emulation.mns, emulation.oss, emulation.ecs)}
        return Json({**services, "config": {"rules": rules}})

    async def reset(self, request: Request) -> Response:
        """Put the named parts (all without a name) back to how they were at the start."""
        body = await read(request, ResetBody)
        emulation, world = self._emulation, self._emulation.world
        actions: dict[str, Callable[[], object]] = {
            "faults": world.faults.clear,
            "clock": world.clock.reset,
            "mns": emulation.mns.reset,
            "oss": emulation.oss.reset,
            "ecs": emulation.ecs.reset,
            "config": emulation.config.reset,
            "options": self._reset_options,
            "identities": lambda: world.identities.replace(list(emulation.initial_keys)),
            "journal": self._reset_journal,
        }
        chosen = [part for part in actions if part in body.parts]
        for part in chosen:
            actions[part]()
        return Json({"reset": chosen})

    async def options(self, _: Request) -> Response:
        """How the services behave where the real ones differ by account, age or region."""
        return Json({**OptionsBody().model_dump(), **self._emulation.world.options})

    async def set_options(self, request: Request) -> Response:
        """Change what is named."""
        body = await read(request, OptionsBody)
        self._emulation.world.options.update(body.model_dump(exclude_unset=True))
        return await self.options(request)

    def _reset_journal(self) -> None:
        journal = self._emulation.world.journal
        journal.clear()
        journal.reads = self._initially_journals_reads

    def _reset_options(self) -> None:
        self._emulation.world.options.clear()
        self._emulation.world.options.update(self._initial_options)
