"""`python -m deploy.ram [CONFIG FOLDER]`: writes the policies of a configuration into a folder.

Without arguments it writes the committed ones, which are those of the Kubernetes example; a test compares them. For a
configuration of your own: `python -m deploy.ram my-config.toml /somewhere`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from consumer import ram_policy
from consumer.config import load

_DEPLOY = Path(__file__).parents[1]
EXAMPLE = _DEPLOY / "kubernetes" / "overlays" / "production" / "config.toml"
FOLDER = _DEPLOY / "ram"


def policies(configuration: Path) -> dict[str, str]:
    """Policy documents by file name."""
    config = load(configuration, {})
    return {
        "worker.json": ram_policy.needed(config).as_json(),
        "worker-enforcing.json": ram_policy.needed(config, enforcing=True).as_json(),
        "worker-optional.json": ram_policy.optional(config, enforcing=True).as_json(),
        "operator-undo.json": ram_policy.undoing(config).as_json(),
    }


def main() -> int:
    """Write them; exit status 2 with a usage line when the arguments are wrong."""
    arguments = [Path(argument) for argument in sys.argv[1:]] or [EXAMPLE, FOLDER]
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m deploy.ram [CONFIG FOLDER]\n")
        return 2
    configuration, folder = arguments
    for name, text in policies(configuration).items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
