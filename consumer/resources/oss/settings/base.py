"""What a setting of a bucket is: how it is read, written and taken away, in one value. No SDK, no I/O.

One file of this package describes one setting whole: its record, its documents on the wire, its requests and their RAM
actions. From that the gateway sends requests, the simulation keeps a state, and policies name what they grant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

ANY_MISSING = "NoSuch*"
"""Every code that says that something does not exist: where the service does not document the one of a setting."""


@dataclass(frozen=True, slots=True)
class SettingRequest:
    """One request about a bucket."""

    operation: str
    """`GetBucketEncryption`, as the service's pages call it."""
    method: str
    query: Mapping[str, str]
    """Sub-resource and parameters: `{"encryption": ""}`."""
    named_action: str = ""
    """The RAM action, where it is not named as the operation is."""

    @property
    def action(self) -> str:
        """The RAM action that it needs."""
        return self.named_action or f"oss:{self.operation}"

    @classmethod
    def reading(cls, operation: str, sub_resource: str, action: str = "") -> SettingRequest:
        """GET of a sub-resource."""
        return cls(operation, "GET", {sub_resource: ""}, action)

    @classmethod
    def writing(cls, operation: str, sub_resource: str, action: str = "") -> SettingRequest:
        """PUT of a sub-resource."""
        return cls(operation, "PUT", {sub_resource: ""}, action)

    @classmethod
    def clearing(cls, operation: str, sub_resource: str, action: str = "") -> SettingRequest:
        """DELETE of a sub-resource."""
        return cls(operation, "DELETE", {sub_resource: ""}, action)


@dataclass(frozen=True, slots=True, eq=False)
class Setting(Generic[T]):
    """One setting. Its record holds everything that the service keeps for it, also what no repair is about, because a
    write replaces the whole: what is not sent back is lost.
    """

    name: str
    """In states that are recorded for a simulation: `encryption`."""
    record: Any
    """The type of its record, as pydantic takes it: `Encryption | None`."""
    unset: T
    """What holds for a bucket on which nobody has configured it."""
    get: SettingRequest | None = None
    """None where GetBucketInfo has it."""
    put: SettingRequest | None = None
    """None where it cannot be written."""
    delete: SettingRequest | None = None
    """None where it cannot be taken away."""
    parse: Callable[[bytes], T] | None = None
    """The record in an answer.

    Raises ValueError, TypeError or ParseError for an answer that is none; the request is then sent again.
    """
    render: Callable[[T], bytes] | None = None
    """The document that a write sends; empty for none."""
    unset_code: str = ""
    """The code by which the service says that it is not set, which it calls an error; empty where it answers with a
    document, `ANY_MISSING` where the code is not documented."""
    done_code: str = ""
    """The code by which the service refuses a write because it is done already."""

    @property
    def requests(self) -> tuple[SettingRequest, ...]:
        """All that there are."""
        return tuple(request for request in (self.get, self.put, self.delete) if request)

    @property
    def read_action(self) -> str:
        """The RAM action of a read."""
        return self.request("get").action

    @property
    def write_action(self) -> str:
        """The RAM action of a write."""
        return self.request("put").action

    @property
    def clear_action(self) -> str:
        """The RAM action of taking it away."""
        return self.request("delete").action

    def request(self, which: str) -> SettingRequest:
        """The request to `get`, `put` or `delete` it.

        Raises:
            NotImplementedError: there is none, so the remediation that needs it has a defect.
        """
        found: SettingRequest | None = getattr(self, which)
        if found is None:
            raise NotImplementedError(f"the setting {self.name} has no {which}")
        return found

    def says_unset(self, code: str) -> bool:
        """Whether a refusal of a read with this code says that it is not set; never for a bucket that is gone."""
        if self.unset_code == ANY_MISSING:
            return code.startswith("NoSuch") and code != "NoSuchBucket"
        return bool(self.unset_code) and code == self.unset_code
