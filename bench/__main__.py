"""`python -m bench`."""

from emulator.interruption import command


def _main() -> int:
    from bench.cli import main

    return main()


if __name__ == "__main__":
    command("bench", _main)
