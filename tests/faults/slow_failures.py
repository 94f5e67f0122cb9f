"""`python -m tests.faults.slow_failures`, which can be stopped in one line also while everything is being imported."""

from emulator.interruption import command


def _main() -> int:
    from tests.faults.slow import main

    return main()


if __name__ == "__main__":
    command("slow failures", _main)
