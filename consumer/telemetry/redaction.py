"""Keeps secrets, and what only looks like one, out of everything that is written for people.

Two nets: every secret that was learned is recognised wherever it stands, and whatever is named like a credential or
carries a signature or an authorization is dropped unread, because signatures are made by the SDKs and never seen here.
What is dropped is dropped whole: half a secret is worth an attack.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from itertools import islice
from typing import Any
from urllib.parse import quote

from consumer.aliyun.credentials import Credentials, CredentialsProvider

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"secret|token|passw(or)?d|authorization|signature|credential|private[-_]?key|api[-_]?key|cookie", re.IGNORECASE
)
_MARKED = re.compile(
    r"""
    (?: authorization | signature(?:provided)? | string_?to_?sign | password | private[-_]?key
      | (?<!invalid)security[-_]?token | oidc[-_]?token | secret[-_]?(?:key|access_?key)? )
    ["'\]]* \s* [:=>] \s* \S  # such a name with its value: in a header, a query, XML or a repr
    | \b (?: OSS | MNS | acs ) \s+ [A-Za-z0-9.]{8,} : [A-Za-z0-9+/=]{16,}  # an Authorization value by itself
    | OSS4-HMAC-SHA256 | ACS3-HMAC-SHA256 | -----BEGIN
    """,
    re.IGNORECASE | re.VERBOSE,
)

_HINTS = (
    *("authorization", "sign", "passw", "token", "secret", "credential", "cookie", "key"),
    *("oss ", "mns ", "acs ", "hmac-sha256", "-----begin"),
)
"""Whatever the two patterns above find in a line without escapes contains one of these, in lower case."""

_SHORTEST_SECRET = 4
_REMEMBERED = 256
"""Spellings of secrets; temporary credentials are renewed about hourly, and old ones have long expired by then."""

_LONGEST_TEXT = 2_000
_LONGEST_TRACE = 20_000
_MOST_ITEMS = 64
_DEEPEST = 4
_MOST_BITS = 256


class Redactor:
    """Recognises secrets; one for the process, used by all threads."""

    def __init__(self) -> None:
        self._secrets: OrderedDict[str, None] = OrderedDict()
        self._spellings: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def learn(self, *secrets: str) -> None:
        """Let no text that contains one of these through from now on."""
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET and secret not in self._secrets:
                self._learn(secret)

    def _learn(self, secret: str) -> None:
        with self._lock:
            for spelling in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]):
                self._secrets[spelling] = None
            while len(self._secrets) > _REMEMBERED:
                self._secrets.popitem(last=False)
            self._spellings = tuple(self._secrets)

    def clean(self, text: str) -> str:
        """The text, or a placeholder for all of it."""
        if any(spelling in text for spelling in self._spellings) or _MARKED.search(text):
            return REDACTED
        return text

    def clean_value(self, name: str, value: object, depth: int = 0) -> Any:
        """A value fit for a log line: no secrets, bounded in length, depth and number, of JSON's types only."""
        if _SECRET_NAME.search(name) and value not in (None, ""):
            return REDACTED
        match value:
            case int() if value.bit_length() > _MOST_BITS:
                return f"a number of {value.bit_length()} bits"  # Python refuses to write very long ones
            case None | bool() | int() | float():
                return value
            case str():
                return _bounded(self.clean(str(value)), name)
            case dict() if depth < _DEEPEST:
                return self.clean_fields(value, depth + 1)
            case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
                return [self.clean_value(name, item, depth + 1) for item in list(value)[:_MOST_ITEMS]]
            case _:
                return _bounded(self.clean(_text_of(value)), name)

    def clean_fields(self, fields: dict[Any, Any], depth: int = 0) -> dict[str, Any]:
        """Every field with its value cleaned."""
        return {
            _bounded(self.clean(str(name)), ""): self.clean_value(str(name), value, depth)
            for name, value in islice(fields.items(), _MOST_ITEMS)
        }

    def harmless(self, line: str) -> bool:
        """Whether a rendered line is known to hold nothing that cleaning its fields would change.

        Nearly every line is: one look at the whole of it costs a tenth of a look at each part. A line with an escape in
        it is not known to be anything, because a name or a secret may be spelled differently there.
        """
        if len(line) > _LONGEST_TEXT or "\\" in line or not line.isascii():
            return False
        lowered = line.lower()
        return not any(hint in lowered for hint in _HINTS) and not any(each in line for each in self._spellings)


redactor = Redactor()
"""The process's one: the log is one, too."""


class SecretRegisteringProvider:
    """A provider of credentials that lets the redactor learn each one before anybody can use it."""

    def __init__(self, provider: CredentialsProvider, learned_by: Redactor = redactor) -> None:
        self._provider = provider
        self._redactor = learned_by

    def get_credentials(self) -> Credentials:
        """What the provider gives.

        Raises:
            NotAuthenticated: it has none at the moment.
        """
        credentials = self._provider.get_credentials()
        self._redactor.learn(credentials.secret, credentials.token)
        return credentials


def _text_of(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a broken repr must not cost the line
        return f"<{type(value).__name__}>"


def _bounded(text: str, name: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return text
    most = _LONGEST_TRACE if name in ("exception", "stack") else _LONGEST_TEXT
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
