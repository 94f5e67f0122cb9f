"""What Pod Security's level `restricted` refuses, so that no cluster is needed to know it.

Every control of "baseline" and "restricted" for Linux, and stricter where the standard lists what else would do:
https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Manifest = dict[str, Any]

_VOLUMES = {"configMap", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_FORBIDDEN = {"sysctls", "seLinuxOptions", "windowsOptions", "procMount"}
"""The standard allows some values of these; nothing here needs one."""


def violations(pod: Manifest) -> list[str]:
    """Of a pod's spec: each with where it is; nothing for one that a restricted namespace takes."""
    containers = [each for kind in _CONTAINERS for each in pod.get(kind, [])]
    return [*_of_pod(pod), *(each for container in containers for each in _of_container(pod, container))]


def _of_pod(pod: Manifest) -> Iterator[str]:
    yield from (key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key))
    for volume in pod.get("volumes", []):
        if kinds := set(volume) - {"name"} - _VOLUMES:
            yield f"volume {volume['name']}: {', '.join(sorted(kinds))}"
    yield from _of_either("pod", pod.get("securityContext", {}))


def _of_container(pod: Manifest, container: Manifest) -> Iterator[str]:
    name, security = container["name"], container.get("securityContext", {})
    inherited = {**pod.get("securityContext", {}), **security}
    if security.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation is not false"
    if "ALL" not in security.get("capabilities", {}).get("drop", []) or security["capabilities"].get("add"):
        yield f"{name}: not every capability is dropped"
    if inherited.get("runAsNonRoot") is not True:
        yield f"{name}: runAsNonRoot is not true"
    if "seccompProfile" not in inherited:
        yield f"{name}: no seccompProfile"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield f"{name}: hostPort"
    yield from _of_either(name, security)
    yield from _of_handlers(name, container)


def _of_either(where: str, security: Manifest) -> Iterator[str]:
    """What stands in the security context of a pod and of a container alike."""
    if security.get("privileged"):
        yield f"{where}: privileged"
    if security.get("runAsUser") == 0:
        yield f"{where}: runAsUser is 0"
    if security.get("runAsNonRoot") is False:
        yield f"{where}: runAsNonRoot is false"
    for profile in ("seccompProfile", "appArmorProfile"):
        if security.get(profile, {}).get("type", "RuntimeDefault") not in ("RuntimeDefault", "Localhost"):
            yield f"{where}: {profile} is {security[profile]['type']}"
    yield from (f"{where}: {key}" for key in sorted(_FORBIDDEN & set(security)))


def _of_handlers(name: str, container: Manifest) -> Iterator[str]:
    """Since 1.34, a probe or hook that names a host is refused: the node would ask it."""
    handlers = [container.get(f"{kind}Probe", {}) for kind in ("startup", "liveness", "readiness")]
    for handler in (*handlers, *container.get("lifecycle", {}).values()):
        if any(handler.get(kind, {}).get("host") for kind in ("httpGet", "tcpSocket")):
            yield f"{name}: a probe or hook names a host"
