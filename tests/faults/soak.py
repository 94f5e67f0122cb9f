"""`python -m tests.faults.soak`, which can be stopped in one line while everything else is still being imported."""

from emulator.interruption import command


def _main() -> int:
    from tests.faults.soaking import main

    return main()


if __name__ == "__main__":
    command("soak", _main)
