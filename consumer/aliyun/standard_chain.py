"""The standard chain: environment, OIDC (RRSA on ACK), profiles, ECS RAM role, credentials URI, in this order.

Not the vendor's own chain, which drops when the credentials end. It asks its source every time and keeps nothing; that
is done by `consumer.aliyun.kept_credentials`.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from consumer.aliyun import credential_sources
from consumer.aliyun.credential_sources import Source
from consumer.aliyun.credentials import Credentials, adopted
from consumer.core import files
from consumer.core.errors import (
    ConfigurationError,
    CredentialsUnavailable,
    NotAuthenticated,
    Retryable,
)

_SET_ANY = (
    "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run with RRSA (ALIBABA_CLOUD_ROLE_ARN,"
    " ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE) or with an ECS RAM role. Credentials never stand"
    " in the configuration file."
)
_CHECK_ROLE = (
    "This pod has an identity (RRSA), but STS refuses it: look whether ALIBABA_CLOUD_ROLE_ARN and"
    " ALIBABA_CLOUD_OIDC_PROVIDER_ARN exist, and whether the role's trust policy names this cluster's issuer, this"
    " namespace and this service account."
)
_CHECK_FILE = (
    "Mount the pod's identity token there, readable for the user this process runs as, or correct"
    " ALIBABA_CLOUD_OIDC_TOKEN_FILE; ack-pod-identity-webhook does both."
)
_LARGEST_FILE_BYTES = 1 << 20
_UNREADABLE = "identity_file_unreadable"
_CODE = re.compile(r'"Code":\s*"([A-Za-z][A-Za-z0-9.]{0,63})"')
_STATUS = re.compile(r"(?:http_code: |http_code=|HttpCode=)(\d{3})")


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why one source gives nothing."""

    reason: str
    may_pass: bool
    code: str = "no_credentials"


class StandardChain:
    """The chain of one process; the first source that gives any is kept to."""

    def __init__(self, *, sts_endpoint: str = "") -> None:
        """`sts_endpoint` is the URL that the pod's own role is assumed at; empty for the vendor's own choice."""
        keys = credential_sources.keys(os.environ)
        self._given = Credentials(*keys) if keys else None
        self._half_set = credential_sources.half_set(os.environ)
        self._sources = credential_sources.standard(os.environ, sts_endpoint)
        self._lock = threading.Lock()  # the vendor's providers are made and queried one at a time

    def get_credentials(self) -> Credentials:
        """Credentials as their source gives them now.

        Raises:
            CredentialsUnavailable: a source that was set up does not answer; that may pass.
            NotAuthenticated: no source has any, and why, with the code of STS if it gave one.
        """
        if self._given:
            return self._given
        failures = []
        with self._lock:
            for source in self._sources:
                found = _provided(source)
                if isinstance(found, Credentials):
                    self._sources = (source,)
                    return found
                failures.append(found)
        reasons = [each.reason for each in failures] or ["none are set up"]
        text = f"no credentials: {'; '.join([*self._half_set, *reasons])}"
        codes = [each.code for each in failures if each.code != "no_credentials"]
        kind = CredentialsUnavailable if any(each.may_pass for each in failures) else NotAuthenticated
        raise kind("credentials", "GetCredentials", codes[0] if codes else "no_credentials", text)


def explained(error: NotAuthenticated) -> ConfigurationError:
    """What a person has to set right, of a refusal at the start."""
    if error.code == _UNREADABLE:
        remedy = _CHECK_FILE
    else:
        remedy = _CHECK_ROLE if credential_sources.in_a_pod(os.environ) else _SET_ANY
    return ConfigurationError(str(error.args[0]), remedy)


def _provided(source: Source) -> Credentials | _Failure:
    """What a source gives, or why not."""
    if source.file and (unreadable := _unreadable(Path(source.file))):
        if source.name == source.file:
            return _Failure(f"{source.file}: {unreadable}", may_pass=False)
        named = f"{credential_sources.TOKEN_FILE} = {source.file}"
        return _Failure(f"{source.name}: {named} {unreadable}", may_pass=False, code=_UNREADABLE)
    try:
        return adopted(source.provider().get_credentials())
    except Retryable as error:
        return _Failure(f"{source.name}: {error.args[0]}", may_pass=source.declared)
    except Exception as error:  # noqa: BLE001 - providers raise whatever their parsers do
        # What is no refusal in the service's own form is a page of somebody else's, or half an answer.
        return _Failure(f"{source.name}: {reason(error)}", may_pass=isinstance(error, ValueError) and source.declared)


def _unreadable(path: Path) -> str:
    """Why a file with credentials or an identity token cannot be used; nothing if it can.

    Looked at before its reader is: that one would wait for a pipe, or read a device to its end.
    """
    try:
        text = files.read(path, _LARGEST_FILE_BYTES).decode("utf-8")
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except UnicodeError:
        return "cannot be read: it is not text"
    return "" if text.strip() else "is empty"


def reason(error: Exception) -> str:
    """One word of STS or of ours; never the text, which may hold the request with its identity token."""
    text = str(error)
    if code := _CODE.search(text):
        return code.group(1)
    if status := _STATUS.search(text):
        return f"HTTP {status.group(1)}"
    return type(error).__name__
