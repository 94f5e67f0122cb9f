"""What the exit status means; for scripts and operators, docs/operating.md and docs/commands.md say the same."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit status of `config-remediator run`."""

    DRAINED = 0
    """Stopped in order: everything in flight was settled or released."""
    FAULT = 1
    """A thread died or fell silent; the last log line says which and why."""
    CONFIGURATION = 2
    """The configuration or the command line cannot be used, or there are no credentials."""
    STARTUP = 3
    """The queue does not exist or refuses the credentials; or an outage outlasted `engine.startup_wait_seconds`."""
    GRACE_EXCEEDED = 4
    """Stopped, but something was still in flight when the grace ran out; the queue delivers it again."""
    HARD_STOP = 5
    """A second signal ended it at once; the queue delivers again what was in flight."""


class CommandExit(IntEnum):
    """The exit status of every other command."""

    DONE = 0
    """Done, and nothing is wrong."""
    FOUND = 1
    """Done, and what was looked for is not as it should be: a failed check, a difference, a broken journal."""
    USAGE = 2
    """The configuration or the command line cannot be used; nothing was done."""
    UNAVAILABLE = 3
    """A service could not be used: out of reach, no permission, no such queue; the text says which and why."""
    REFUSED = 4
    """Not done, or not all of it, on purpose: a person declined, or the state is not the one the command is for."""
    UNWRITTEN = 5
    """Standard output could not be written, as on a full disk: what was to be done may have been done."""
