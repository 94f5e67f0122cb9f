"""Remembers what reads were answered a moment ago, for the fault that shows an old state after a change."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace

from emulator.http import Request, Response

_MOST_TARGETS = 4_096
_LONGEST_SECONDS = 60.0


class EarlierAnswers:
    """True answers to GET by host and target, of the last minute, within bounds."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, deque[tuple[float, Response]]] = OrderedDict()
        self._wanted_by: frozenset[int] = frozenset()

    def keep(self, request: Request, response: Response, now: float, wanted_by: frozenset[int]) -> None:
        """Remember the true answer to a read, for these faults; others than before show nothing from before them."""
        if wanted_by != self._wanted_by:
            self._wanted_by = wanted_by
            self._answers.clear()
        if request.method != "GET":
            return
        answers = self._answers.setdefault(request.host + request.target, deque())
        answers.append((now, replace(response, headers=list(response.headers))))
        while answers[0][0] < now - _LONGEST_SECONDS:
            answers.popleft()
        self._answers.move_to_end(request.host + request.target)
        if len(self._answers) > _MOST_TARGETS:
            self._answers.popitem(last=False)

    def earliest(self, request: Request, since: float) -> Response | None:
        """The first answer to the same read that was given since then, if there is one."""
        answers = self._answers.get(request.host + request.target, ())
        return next((response for at, response in answers if at >= since), None)
