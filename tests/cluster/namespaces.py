"""Scratch namespaces: made with Pod Security restricted, and empty again before they go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from tests.cluster.kubectl import Kubectl, Manifest, Refused

PREFIX = "config-remediator-try-"
_OF_EVERY_NAMESPACE = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_MADE_BY_CONTROLLERS = {"Event", "Endpoints", "EndpointSlice", "ControllerRevision"}
_GONE_SECONDS = 120


def namespace(name: str) -> Manifest:
    """One that refuses pods which are not restricted, as ours do."""
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": levels}}


@contextmanager
def scratch(kubectl: Kubectl, name: str, *, make: bool = True) -> Iterator[str]:
    """A namespace for as long as it is needed; with make false, what is tried makes it."""
    full = PREFIX + name
    kubectl("delete", "namespace", full, "--ignore-not-found", "--wait=true")
    try:
        if make:
            kubectl("create", "--filename", "-", stdin=json.dumps(namespace(full)))
            _wait(lambda: kubectl.get("serviceaccounts", full))
        yield full
    finally:
        kubectl("delete", "namespace", full, "--ignore-not-found", "--wait=true", "--timeout=120s")


def left(kubectl: Kubectl, name: str) -> list[str]:
    """What is still there of what was made, once the garbage collector had its time."""

    def found() -> list[str]:
        kinds = ",".join(sorted(each for each in kubectl.resources() if not each.startswith("events")))
        return sorted(
            f"{each['kind']}/{each['metadata']['name']}"
            for each in kubectl.get(kinds, name)
            if each["kind"] not in _MADE_BY_CONTROLLERS
            and (each["kind"], each["metadata"]["name"]) not in _OF_EVERY_NAMESPACE
            and each.get("type") != "kubernetes.io/service-account-token"
        )

    try:
        _wait(lambda: not found())
    except Refused:
        return found()
    return []


def _wait(done: object) -> None:
    assert callable(done)
    until = monotonic() + _GONE_SECONDS
    while not done():
        if monotonic() > until:
            raise Refused(f"not within {_GONE_SECONDS} s")
        sleep(0.5)
