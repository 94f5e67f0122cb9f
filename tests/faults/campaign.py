"""`python -m tests.faults.campaign`, which can be stopped in one line while everything else is still being imported."""

from emulator.interruption import command


def _main() -> int:
    from tests.faults.campaigning import main

    return main()


if __name__ == "__main__":
    command("faults", _main)
