"""`python -m consumer` is `config-remediator`."""

from consumer.cli.main import main

if __name__ == "__main__":
    main()
