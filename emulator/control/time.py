"""Control endpoints for the clock and for the journal that carries its times."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import DONE, Json
from emulator.control.bodies import ClockBody, JournalBody, JournalQuery, Refused, read, validated
from emulator.journal import Entry
from emulator.world import World


class ClockEndpoints:
    """The world's clock."""

    def __init__(self, world: World) -> None:
        self._clock = world.clock

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/clock", self.show, methods=["GET"]),
            Route("/clock", self.advance, methods=["POST"]),
        ]

    async def show(self, _: Request) -> Response:
        """The emulated time, and how far it is ahead of the real one."""
        return Json({"now_ms": self._clock.now_ms(), "offset_seconds": self._clock.offset_seconds})

    async def advance(self, request: Request) -> Response:
        """Move it and wake everybody who waits for a moment."""
        self._clock.advance((await read(request, ClockBody)).advance_seconds)
        return await self.show(request)


class JournalEndpoints:
    """The world's journal."""

    def __init__(self, world: World) -> None:
        self._journal = world.journal

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/journal", self.page, methods=["GET"]),
            Route("/journal", self.configure, methods=["PUT"]),
            Route("/journal", self.clear, methods=["DELETE"]),
        ]

    async def page(self, request: Request) -> Response:
        """A page of entries that fit the filters; `next` is the `after` of the following page."""
        query = validated(dict(request.query_params), JournalQuery)
        entries, following = self._page(query, query.after)
        if not entries and query.wait_seconds:
            await self._journal.wait_beyond(following, query.wait_seconds)
            entries, following = self._page(query, following)
        shown = [entry.as_json() for entry in entries]
        return Json({"entries": shown, "next": following, "last": self._journal.last})

    def _page(self, query: JournalQuery, after: int) -> tuple[list[Entry], int]:
        found: list[Entry] = []
        while len(found) < query.limit and (scanned := self._journal.after(after, 1000)):
            for entry in scanned:
                after = entry.sequence
                if _fits(entry, query):
                    found.append(entry)
                    if len(found) == query.limit:
                        break
        return found, after

    async def configure(self, request: Request) -> Response:
        """Whether reads are journaled."""
        self._journal.reads = (await read(request, JournalBody)).reads
        return Json({"reads": self._journal.reads})

    async def clear(self, request: Request) -> Response:
        """Forget all entries, or those up to `through`; the numbering goes on."""
        through = request.query_params.get("through")
        if through is not None and not through.isdecimal():
            raise Refused(f"through: a sequence number, not {through!r}")
        self._journal.clear(None if through is None else int(through))
        return Json(DONE)


def _fits(entry: Entry, query: JournalQuery) -> bool:
    return (
        query.service in (None, entry.service)
        and query.operation in (None, entry.operation)
        and query.resource in (None, entry.resource)
        and query.changed in (None, entry.changed)
    )
