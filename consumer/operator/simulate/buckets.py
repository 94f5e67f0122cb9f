"""Buckets that exist in memory only, for decisions without a network: recorded ones, or assumed ones. Pure.

They take changes as the service would, so that what comes after a change is decided on its result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from consumer.core.errors import ConfigurationError, Refused, ResourceGone, ServiceError
from consumer.remediations.base import AnyRemediation, Change
from consumer.resources.base import Resource
from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.named_settings import NamedSettings
from consumer.resources.oss.settings.base import Setting
from consumer.resources.oss.settings.catalogue import catalogue
from consumer.resources.oss.settings.policy import POLICY
from consumer.resources.oss.settings.redundancy import REDUNDANCY

T = TypeVar("T")


class Assumed(StrEnum):
    """What is taken for the state of a bucket that nothing was recorded of."""

    BROKEN = "broken"
    """Open to everyone, and nothing switched on."""
    COMPLIANT = "compliant"
    """As every configured rule would leave it."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One bucket's state."""

    acl: str = "private"
    owner_id: str = ""
    """Empty: the account that the event names."""
    region: str = ""
    """Empty: the region that the event names."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """By the setting's name; what is left out is as in a bucket that nobody has configured."""


_EVERYONE = {"Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["*"], "Resource": ["acs:oss:*:*:*"]}
_OPEN = Recorded(
    "public-read-write",
    settings={POLICY.name: json.dumps({"Version": "1", "Statement": [_EVERYONE]}, separators=(",", ":"))},
)
_OURS = ("acl", "owner_id", "region")


def recorded(path: Path) -> dict[str, Recorded | None]:
    """The states in a JSON file, by bucket name; null is a bucket that does not exist.

    Raises:
        ConfigurationError: the file cannot be read, or has something else in it.
    """
    try:
        states: dict[str, BaseModel | None] = _form().validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the recorded state: {error.strerror}") from None
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_first_problem(error)}") from None
    return {name: None if state is None else _recorded(state) for name, state in states.items()}


def _first_problem(error: ValidationError) -> str:
    """Where the first mistake is, and what may stand there."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden" or len(first["loc"]) != 2:
        return f"{where}: {first['msg']}"
    known = (*_OURS, *catalogue())
    close = get_close_matches(str(first["loc"][-1]), known, n=1)
    return f"{where}: unknown setting; " + (f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}")


def _form() -> TypeAdapter[Any]:
    """What stands in such a file: for each bucket its ACL, where it is, and every setting there is."""
    types = {**dict.fromkeys(_OURS, str), **{name: setting.record for name, setting in catalogue().items()}}
    fields: dict[str, Any] = {name: (kind, None) for name, kind in types.items()}  # None: it was left out
    state = create_model("Recorded", __config__=ConfigDict(extra="forbid"), **fields)
    return TypeAdapter(dict[str, state | None])


def _recorded(state: BaseModel) -> Recorded:
    given = {name: getattr(state, name) for name in state.model_fields_set}
    settings = {name: value for name, value in given.items() if name not in _OURS}
    return Recorded(**{name: value for name, value in given.items() if name in _OURS}, settings=settings)


@dataclass(slots=True)
class SimulatedBuckets:
    """Every bucket of one simulation, with the changes made so far."""

    states: dict[str, Recorded | None]
    assumed: Assumed
    remediations: Iterable[AnyRemediation] = ()
    """What makes an assumed bucket compliant."""

    def open(self, resource: Resource, _until: Callable[[], float]) -> SimulatedBucket:
        """A bucket as the pipeline gets it."""
        if resource.resource_id not in self.states:
            self.states[resource.resource_id] = None if self.assumed is Assumed.GONE else _OPEN
            if self.assumed is Assumed.COMPLIANT:
                self._make_compliant(SimulatedBucket(self, resource))
        return SimulatedBucket(self, resource)

    def _make_compliant(self, bucket: SimulatedBucket) -> None:
        for remediation in self.remediations:
            with suppress(Refused):  # what a person has to decide stays as it is
                finding = remediation.plan(remediation.inspect(bucket, bucket.info()))
                if isinstance(finding, Change):
                    remediation.apply(bucket, finding)


class SimulatedBucket(NamedSettings):
    """One bucket of a simulation; implements `consumer.resources.oss.bucket.Bucket`."""

    def __init__(self, world: SimulatedBuckets, resource: Resource) -> None:
        self.name = resource.resource_id
        self.request_ids: list[str] = []
        self.granted: set[str] = set()
        self._world = world
        self._resource = resource

    @property
    def _state(self) -> Recorded:
        state = self._world.states.get(self.name)
        if state is None:
            raise ResourceGone("oss", "simulated", "NoSuchBucket", "the bucket does not exist", status=404)
        return state

    def _set(self, name: str, value: Any) -> None:
        state = self._state
        self._world.states[self.name] = replace(state, settings={**state.settings, name: value})

    def identity(self) -> BucketInfo:
        """What is known about it."""
        return self.info()

    def info(self) -> BucketInfo:
        """What is known about it."""
        state, resource = self._state, self._resource
        redundancy = state.settings.get(REDUNDANCY.name, REDUNDANCY.unset)
        owner, region = state.owner_id or resource.account_id, state.region or resource.region
        return BucketInfo(owner, region, "simulated", state.acl, redundancy)

    def put_acl(self, acl: str) -> None:
        """Set the ACL."""
        self._world.states[self.name] = replace(self._state, acl=acl)

    def delete(self) -> None:
        """Refused: no decision that is simulated deletes a bucket."""
        raise ServiceError("oss", "DeleteBucket", "simulated", "a simulation deletes nothing")

    def read(self, setting: Setting[T]) -> T:
        """What is known of it."""
        found: T = self._state.settings.get(setting.name, setting.unset)
        return found

    def write(self, setting: Setting[T], value: T) -> None:
        """Set it."""
        self._set(setting.name, value)

    def clear(self, setting: Setting[Any]) -> None:
        """Take it away."""
        self._set(setting.name, setting.unset)
