"""`python -m consumer` is `config-remediator`."""

from consumer.cli import main

if __name__ == "__main__":
    main()
