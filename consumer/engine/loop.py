"""The shape of every thread of the engine: step after step until it is done, with a heartbeat before each."""

from __future__ import annotations

from abc import ABC, abstractmethod

from consumer.engine.heartbeat import Heartbeat


class Loop(ABC):
    """One thread's loop; everything in it is this thread's own but what its context shares."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat

    def run(self) -> None:
        """Take steps until there is nothing more to do."""
        while not self.done:
            self._heartbeat.rest()
            self.step()

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether the loop is over."""

    @abstractmethod
    def step(self) -> object:
        """Do one thing, or wait for one as long as the heartbeat may be idle; whether there was any, if it says."""
