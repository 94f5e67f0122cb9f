"""How long a test waits for something that is bound to happen."""

PATIENCE_SECONDS = 180.0
"""A limit that only ends a hang; it says nothing about how fast anything is, because the machine may be busy."""
