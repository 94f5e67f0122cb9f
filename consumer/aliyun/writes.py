"""Remembers of each request that writes whether it may have taken effect, so that a later refusal hides no change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from consumer.core.errors import DamagedReply, ServiceError, Unanswered, Unavailable
from consumer.resources.base import KnowsItsWrites, Written

_T = TypeVar("_T")

_NO_CLEAR_END = (Unanswered, DamagedReply, Unavailable)
"""After these the service may have carried the request out."""


def written_by(target: KnowsItsWrites, request: Callable[[], _T], sent_twice: Callable[[], bool] = lambda: False) -> _T:
    """One try of a request that writes; `sent_twice` says of a failed one whether it is the answer to its repetition.

    Raises:
        ServiceError: as it came.
    """
    try:
        result = request()
    except ServiceError as error:
        if isinstance(error, _NO_CLEAR_END) or sent_twice():
            target.written = max(target.written, Written.PERHAPS)
        raise
    target.written = Written.YES
    return result
