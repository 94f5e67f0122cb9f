"""What `provision` and `ram-policy` make of a configuration that begins with what Terraform or ROS put out."""

from __future__ import annotations

import re
from typing import Any

from emulator.client import Emulator
from tests.deploy.infrastructure import Infrastructure, of_emulator
from tests.integration.cli.conftest import Cli

_RULE = '\n[[rules]]\nname = "public-read"\nremediation = "oss.bucket-acl"\nmode = "observe"\nrule_names = ["x"]\n'


def configure(cli: Cli, emulator: Emulator, beginning: str) -> None:
    """The beginning as it was put out, the emulator's address, and one rule; the rest are defaults."""
    text = beginning.replace("[queue]\n", f'[queue]\nendpoint = "{emulator.mns}"\n')
    cli.path.write_text(text + _RULE, encoding="utf-8")


def provisioned(cli: Cli, emulator: Emulator) -> Infrastructure:
    """What the command makes where nothing is."""
    emulator.reset("mns")
    done = cli.run("provision", "--apply")
    assert done.status == 0, done.err
    (target,) = re.findall(r"deliver non-compliance events to (\S+)\.$", " ".join(done.out.split()))
    return of_emulator(emulator.state()["mns"], target)


def printed_policy(cli: Cli, purpose: str = "run") -> dict[str, Any]:
    """What the command prints for a purpose."""
    return dict(cli.run("ram-policy", "--for", purpose).document)
