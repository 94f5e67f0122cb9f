"""`python -m emulator`."""

import signal

from emulator.interruption import command


def _main() -> None:
    from emulator.cli import main

    main()


if __name__ == "__main__":
    command("emulator", _main, quiet=(signal.SIGTERM,))
