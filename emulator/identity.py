"""Who may sign requests: access keys, their secrets, and the temporary ones with a token and an end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One access key of one account."""

    access_key_id: str
    secret: str
    account_id: str
    security_token: str | None = None
    """Set for temporary (STS) credentials: a request has to carry exactly this token."""
    expires_at: float | None = None
    """End of a temporary credential, in emulated seconds since the epoch."""


class Identities:
    """The access keys the emulator knows."""

    def __init__(self) -> None:
        self._keys: dict[str, AccessKey] = {}

    def add(self, key: AccessKey) -> None:
        """Make a key known, replacing one of the same id."""
        self._keys[key.access_key_id] = key

    def remove(self, access_key_id: str) -> None:
        """Forget a key; requests signed with it are then refused as unknown."""
        self._keys.pop(access_key_id, None)

    def all(self) -> list[AccessKey]:
        """Every known key."""
        return list(self._keys.values())

    def replace(self, keys: list[AccessKey]) -> None:
        """Know exactly these keys from now on."""
        self._keys = {key.access_key_id: key for key in keys}

    def get(self, access_key_id: str) -> AccessKey | None:
        """The key of that id, or None."""
        return self._keys.get(access_key_id)
