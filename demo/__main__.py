"""`make demo`."""

from emulator.interruption import command


def _main() -> int:
    from demo.run import main

    return main()


if __name__ == "__main__":
    command("demo", _main)
