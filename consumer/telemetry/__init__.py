"""What is reported about the flow: metrics, the log, health. Never in the flow: all of it listens to hooks."""

import sys

if "structlog" not in sys.modules and "rich" not in sys.modules:
    # structlog imports rich where that is installed, for tracebacks with local variables, which hold credentials here:
    # our log never shows them. Commands that draw tables import it when they do.
    # https://docs.python.org/3/reference/import.html#the-module-cache: None there is a module that cannot be found.
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
