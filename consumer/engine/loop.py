"""The shape of every supervised thread: step after step until it is done, with a heartbeat before each."""

from __future__ import annotations

import threading
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


class PacedLoop(Loop):
    """The loop of a thread beside the way of the messages: it ends when the process stops, and pauses after a step."""

    def __init__(self, heartbeat: Heartbeat, stopping: threading.Event) -> None:
        super().__init__(heartbeat)
        self._stopping = stopping

    def run(self) -> None:
        """Take steps, each with its pause, until the process stops."""
        while not self.done:
            self._heartbeat.rest()
            if seconds := self.step():
                self._heartbeat.beat("pausing", seconds)
                self._stopping.wait(seconds)

    @property
    def done(self) -> bool:
        """The process is stopping."""
        return self._stopping.is_set()

    @abstractmethod
    def step(self) -> float:
        """Do one thing, or wait for one as long as the heartbeat may be idle; the seconds to pause before the next."""
