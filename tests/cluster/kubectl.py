"""kubectl, with one context, and what it said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]

_SECONDS = 180
_END = 300


class Refused(Exception):
    """A command failed, or warned; the text is what it printed."""


@dataclass(frozen=True)
class Kubectl:
    """One cluster."""

    program: str
    context: str

    def __call__(self, *arguments: str, stdin: str | None = None, reading: bool = False) -> str:
        """What it prints. Raises Refused if it fails or, but for reading, warns: that is a fault of a manifest."""
        done = subprocess.run(
            [self.program, "--context", self.context, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        warned = any(line.startswith("Warning:") for line in done.stderr.splitlines())
        if done.returncode != 0 or (warned and not reading):
            said = shortened(done.stderr.strip() or done.stdout.strip())
            raise Refused(f"kubectl {' '.join(arguments)}: status {done.returncode}: {said}")
        return done.stdout

    def get(self, what: str, namespace: str) -> list[Manifest]:
        """Every resource of these kinds in a namespace."""
        listed = json.loads(self("get", what, "--namespace", namespace, "--output", "json", reading=True))
        items: list[Manifest] = listed["items"]
        return items

    def resources(self) -> frozenset[str]:
        """Every kind that the cluster serves and that a namespace can hold, as plural.group."""
        printed = self("api-resources", "--namespaced", "--verbs=list,delete", "--output=name")
        return frozenset(printed.split())


def shortened(text: str) -> str:
    """Its two ends: a refusal names the resource first and the reason last, with all of the resource between them."""
    return text if len(text) <= 2 * _END else f"{text[:_END]} … {text[-_END:]}"


def find(context: str) -> Kubectl:
    """The program of the virtual environment, or of the system. Raises Refused for a context that there is not.

    An empty one would be the current context, which nobody named.
    """
    found = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
    if found is None:
        raise Refused("kubectl is not installed")
    kubectl = Kubectl(found, context)
    known = kubectl("config", "get-contexts", "--output=name").split()
    if context not in known:
        raise Refused(f"--context {context!r} is none of the kubeconfig's: {', '.join(known) or 'there are none'}")
    return kubectl
