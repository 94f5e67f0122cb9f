"""Buckets that exist in memory only, for decisions without a network: recorded ones, or assumed ones. Pure.

They take changes as the service would, so that what comes after a change is decided on its result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from consumer.core.errors import ConfigurationError, Refused, ResourceGone, ServiceError
from consumer.remediations.base import AnyRemediation, Change
from consumer.resources.base import Resource
from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.settings import Encryption, HttpsConfig, Logging, Referer, Transition


class Assumed(StrEnum):
    """What is taken for the state of a bucket that nothing was recorded of."""

    BROKEN = "broken"
    """Open to everyone, and nothing switched on."""
    COMPLIANT = "compliant"
    """As every configured rule would leave it."""
    GONE = "gone"


@validated(frozen=True, config=ConfigDict(extra="forbid"))
class Recorded:
    """One bucket's state; what is left out is as in a bucket that nobody has configured."""

    acl: str = "private"
    owner_id: str = ""
    """Empty: the account that the event names."""
    region: str = ""
    """Empty: the region that the event names."""
    redundancy: str = "LRS"
    policy: str | None = None
    public_access_block: bool = False
    encryption: Encryption | None = None
    versioning: str = ""
    logging: Logging | None = None
    referer: Referer = Referer(allow_empty=True)
    https_config: HttpsConfig = HttpsConfig(enabled=False)
    tags: Mapping[str, str] = field(default_factory=dict)


_STATES: TypeAdapter[dict[str, Recorded | None]] = TypeAdapter(dict[str, Recorded | None])
_EVERYONE = {"Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["*"], "Resource": ["acs:oss:*:*:*"]}
_OPEN = Recorded(
    acl="public-read-write", policy=json.dumps({"Version": "1", "Statement": [_EVERYONE]}, separators=(",", ":"))
)


def recorded(path: Path) -> dict[str, Recorded | None]:
    """The states in a JSON file, by bucket name; null is a bucket that does not exist.

    Raises:
        ConfigurationError: the file cannot be read, or has something else in it.
    """
    try:
        return _STATES.validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the recorded state: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {where}: {first['msg']}") from None


@dataclass(slots=True)
class World:
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
                self._mend(SimulatedBucket(self, resource))
        return SimulatedBucket(self, resource)

    def _mend(self, bucket: SimulatedBucket) -> None:
        for remediation in self.remediations:
            with suppress(Refused):  # what a person has to decide stays as it is
                finding = remediation.plan(remediation.inspect(bucket, bucket.info()))
                if isinstance(finding, Change):
                    remediation.apply(bucket, finding)


class SimulatedBucket:
    """One bucket of a simulation; implements `consumer.resources.oss.bucket.Bucket`."""

    def __init__(self, world: World, resource: Resource) -> None:
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

    def _set(self, **changes: object) -> None:
        self._world.states[self.name] = replace(self._state, **changes)  # type: ignore[arg-type]  # each caller names its own field

    def identity(self) -> BucketInfo:
        """What is known about it."""
        return self.info()

    def info(self) -> BucketInfo:
        """What is known about it."""
        state, resource = self._state, self._resource
        return BucketInfo(
            state.owner_id or resource.account_id,
            state.region or resource.region,
            "simulated",
            state.acl,
            state.redundancy,
        )

    def put_acl(self, acl: str) -> None:
        """Set the ACL."""
        self._set(acl=acl)

    def delete(self) -> None:
        """Refused: no decision that is simulated deletes a bucket."""
        raise ServiceError("oss", "DeleteBucket", "simulated", "a simulation deletes nothing")

    def policy(self) -> str | None:
        """The policy."""
        return self._state.policy

    def put_policy(self, policy: str) -> None:
        """Set the policy."""
        self._set(policy=policy)

    def delete_policy(self) -> None:
        """Take the policy away."""
        self._set(policy=None)

    def public_access_block(self) -> bool:
        """Whether Block Public Access is on."""
        return self._state.public_access_block

    def put_public_access_block(self, blocks: bool) -> None:
        """Switch it."""
        self._set(public_access_block=blocks)

    def encryption(self) -> Encryption | None:
        """Default encryption."""
        return self._state.encryption

    def put_encryption(self, encryption: Encryption) -> None:
        """Set it."""
        self._set(encryption=encryption)

    def delete_encryption(self) -> None:
        """Take it away."""
        self._set(encryption=None)

    def versioning(self) -> str:
        """The status."""
        return self._state.versioning

    def put_versioning(self, status: str) -> None:
        """Set it."""
        self._set(versioning=status)

    def logging(self) -> Logging | None:
        """Access logging."""
        return self._state.logging

    def put_logging(self, logging: Logging) -> None:
        """Set it."""
        self._set(logging=logging)

    def delete_logging(self) -> None:
        """Take it away."""
        self._set(logging=None)

    def referer(self) -> Referer:
        """Hotlink protection."""
        return self._state.referer

    def put_referer(self, referer: Referer) -> None:
        """Set it."""
        self._set(referer=referer)

    def https_config(self) -> HttpsConfig:
        """TLS versions."""
        return self._state.https_config

    def put_https_config(self, config: HttpsConfig) -> None:
        """Set them."""
        self._set(https_config=config)

    def transitions(self) -> tuple[Transition, ...]:
        """None: a simulated move is done at once."""
        return ()

    def start_zone_redundancy(self) -> None:
        """Move it."""
        self._set(redundancy="ZRS")

    def tags(self) -> Mapping[str, str]:
        """The tags."""
        return self._state.tags

    def put_tags(self, tags: Mapping[str, str]) -> None:
        """Set them."""
        self._set(tags=dict(tags))

    def delete_tags(self) -> None:
        """Take them away."""
        self._set(tags={})
