"""What the process' exit status means; documented for scripts and operators in docs/operating.md."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit status of `config-remediator run`."""

    DRAINED = 0
    """Stopped in order: everything in hand was settled or handed back."""
    FAULT = 1
    """A thread died or fell silent; the last log line says which and why."""
    CONFIGURATION = 2
    """The configuration or the command line cannot be used."""
    STARTUP = 3
    """The queue could not be used at start: it does not exist, is out of reach, or refuses the credentials."""
    GRACE_EXCEEDED = 4
    """Stopped, but something was still in hand when the grace ran out; the queue delivers it again."""
    HARD_STOP = 5
    """A second signal ended it at once; the queue delivers again what was in hand."""
