"""Loops: step after step with a heartbeat before each, pauses that are announced, and the end between two steps."""

from __future__ import annotations

import threading

from consumer.engine.heartbeat import Heartbeat
from consumer.engine.loop import Loop, PacedLoop
from tests.unit.fakes import Clock

LONGEST_SECONDS = 10.0


class Stopping(threading.Event):
    """The end of the process; waiting for it lets time pass on the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.waits: list[float | None] = []
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        """So much time passes, or none if it has no end."""
        self.waits.append(timeout)
        self._clock.advance(timeout or 0.0)
        return self.is_set()


class Scene:
    """A clock, a heartbeat on it, and a process that stops when a test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.heartbeat = Heartbeat("test", LONGEST_SECONDS, monotonic=self.clock)
        self.stopping = Stopping(self.clock)

    def silent_for(self, seconds: float) -> str:
        """What the thread would be overdue with so much later."""
        self.clock.advance(seconds)
        overdue = self.heartbeat.overdue()
        self.clock.advance(-seconds)
        return overdue


class Countdown(Loop):
    """Takes so many steps."""

    def __init__(self, scene: Scene, steps: int) -> None:
        super().__init__(scene.heartbeat)
        self.left = steps
        self.overdue: list[tuple[str, str]] = []
        self._scene = scene

    @property
    def done(self) -> bool:
        """No step is left."""
        return self.left == 0

    def step(self) -> None:
        """Look how long a thread that waits in a step is given, and take a while."""
        idle = self._scene.heartbeat.idle_seconds + LONGEST_SECONDS
        self.overdue.append((self._scene.silent_for(idle), self._scene.silent_for(idle + 0.1)))
        self._scene.clock.advance(60.0)
        self.left -= 1


def test_a_loop_takes_its_steps_each_after_a_heartbeat() -> None:
    """A thread that waits for something to do in its step is in time for as long as it may be idle."""
    loop = Countdown(Scene(), 3)
    loop.run()
    assert loop.overdue == [("", "idle")] * 3


def test_a_loop_that_is_over_takes_no_step() -> None:
    """Not even a first one."""
    loop = Countdown(Scene(), 0)
    loop.run()
    assert loop.overdue == []


class Paced(PacedLoop):
    """Takes a step for every pause of a list, and the process stops in the last one."""

    def __init__(self, scene: Scene, *pauses: float) -> None:
        super().__init__(scene.heartbeat, scene.stopping)
        self.overdue: list[str] = []
        self._scene = scene
        self._pauses = list(pauses)

    def step(self) -> float:
        """Look how long it is given, and pause as the list says."""
        self.overdue.append(self._scene.silent_for(self._scene.heartbeat.idle_seconds + LONGEST_SECONDS + 0.1))
        seconds = self._pauses.pop(0)
        if not self._pauses:
            self._scene.stopping.set()
        return seconds


def test_a_paced_loop_pauses_after_each_step_and_ends_when_the_process_stops() -> None:
    """A step after which there may be more to do has no pause; each begins with a heartbeat."""
    scene = Scene()
    loop = Paced(scene, 60.0, 0.0, 5.0)
    assert not loop.done

    loop.run()

    assert loop.done
    assert scene.stopping.waits == [60.0, 5.0]
    assert loop.overdue == ["idle"] * 3


def test_a_pause_is_announced_for_as_long_as_it_takes() -> None:
    """Its thread is overdue when the usual time after it is over, and not before."""
    scene = Scene()
    Paced(scene, 60.0).run()
    assert (scene.silent_for(LONGEST_SECONDS), scene.silent_for(LONGEST_SECONDS + 0.1)) == ("", "pausing")


def test_a_process_that_stops_already_takes_no_step() -> None:
    """The loop is over before it begins."""
    scene = Scene()
    scene.stopping.set()
    loop = Paced(scene, 60.0)
    loop.run()
    assert (loop.overdue, scene.stopping.waits) == ([], [])
