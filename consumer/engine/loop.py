"""The shape of every thread of the engine: step after step, until it is done, heard of before each."""

from __future__ import annotations

from abc import ABC, abstractmethod

from consumer.engine.heartbeat import Pulse


class Loop(ABC):
    """One thread's loop; everything in it is this thread's own but what its context shares."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def run(self) -> None:
        """Take steps until there is nothing more to do."""
        while not self.done:
            self._pulse.rest()
            self.step()

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether the loop is over."""

    @abstractmethod
    def step(self) -> object:
        """Do one thing, or wait for one as long as the pulse may be idle at most; whether there was any, if it says."""
