"""What every kind of resource has in common: how one is named, identified and opened. No SDK, no I/O.

A kind is two things. `ResourceKind` is the description: which names are possible, which permissions a look needs, how
people call one. `Opener` is the client behind it, made by `consumer.app` from the configuration and credentials; it
opens a `Target`, one live resource for one delivery. Everything above this package works with these four protocols and
knows no kind by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from consumer.core.errors import Refused
from consumer.core.event import REGION, Event
from consumer.resources.id_form import IdForm


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource that an event names, checked for form by its kind: safe in a host name, a path and a log line."""

    resource_type: str
    """As Cloud Config has it: `ACS::OSS::Bucket`."""
    account_id: str
    region: str
    """What the event claims until the resource was looked at; from then on its own."""
    resource_id: str

    @property
    def key(self) -> str:
        """The same text for the same resource, whatever region an event claims for it.

        Two resources of one kind and account that differ in nothing but the region share it: they wait for each other
        where one at a time is worked on, and never stand in for each other.
        """
        return f"{self.resource_type}/{self.account_id}/{self.resource_id}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which resource a look has met; a kind adds what the same answer says besides."""

    owner_id: str
    """The account that owns it. Where the service does not say, the kind has to establish it in another way."""
    region: str
    """Where it is; empty if the service did not say."""
    incarnation: str
    """The service's own text for when it was created: equal for the same resource, different for one made anew."""

    def made_since(self, moment_ms: int) -> bool:
        """Whether it was created later than a moment, in milliseconds since the epoch; also if that is not known.

        Only for journals that do not name the incarnation: it compares the service's clock with the worker's.
        """
        try:
            created = datetime.fromisoformat(self.incarnation)
        except ValueError:
            return True
        return created.tzinfo is None or created.timestamp() * 1000 > moment_ms

    def differs(self, other: Identity) -> bool:
        """Whether this is another resource, under the same name."""
        return (self.owner_id, self.incarnation) != (other.owner_id, other.incarnation)

    def replaces(self, earlier: Identity) -> bool:
        """Whether this is another resource of the same owner under the name of an earlier one.

        One of another owner cannot have been created by us, and is never ours to take away.
        """
        return self.incarnation != earlier.incarnation and self.owner_id == earlier.owner_id


IdentityT_co = TypeVar("IdentityT_co", bound=Identity, covariant=True)


class Target(Protocol[IdentityT_co]):
    """One live resource, opened for one delivery and used by one thread.

    Every method may raise `consumer.core.errors.ServiceError`; passing failures have been retried by then, as far as
    the delivery's work budget allowed. A resource that does not exist raises `ResourceGone`.
    """

    request_ids: list[str]
    """The service's ids of the requests made so far: what its support needs."""
    granted: set[str]
    """RAM actions that the service has let through so far, in its own spelling: `oss:GetBucketInfo`."""

    def identity(self) -> IdentityT_co:
        """Which resource this is now; always read anew."""
        ...

    def tags(self) -> Mapping[str, str]:
        """The tags it carries now."""
        ...


class Written(IntEnum):
    """What is known of a resource's own requests that write; the higher one stays."""

    NO = 0
    """None was sent, or the service has refused every one."""
    PERHAPS = 1
    """One had no clear answer, so it may have taken effect."""
    YES = 2
    """One was accepted."""


@runtime_checkable
class KnowsItsWrites(Protocol):
    """A target that knows whether its requests may have changed the resource.

    A change may take several requests, and each may be tried again: that the last one was refused does not say that
    nothing was changed.
    """

    written: Written


def written(target: Target[Any]) -> Written:
    """What is known of the writing requests that a target has sent; of a kind that does not count them, none is."""
    return target.written if isinstance(target, KnowsItsWrites) else Written.NO


class Opener(Protocol):
    """The client of one kind; one for the process, used by every worker."""

    def open(self, resource: Resource, until: Callable[[], float]) -> Target[Any]:
        """A resource for one delivery; its requests are tried again until the monotonic moment `until()` at most.

        Sends nothing yet.
        """
        ...

    def close(self) -> None:
        """Close the calling thread's connections."""
        ...


class ResourceKind(ABC):
    """A resource type that the worker can look at: one instance describes all resources of the type."""

    resource_type: ClassVar[str]
    """As Cloud Config has it: `ACS::OSS::Bucket`."""
    noun: ClassVar[str]
    """What people call one, in lower case: `bucket`, `security group`."""
    look_actions: ClassVar[tuple[str, ...]]
    """RAM actions that `Target.identity` needs; every look begins with it."""
    tag_actions: ClassVar[tuple[str, ...]]
    """RAM actions that `Target.tags` needs."""
    form: ClassVar[IdForm | None] = None
    """What ids look like, where that is all that `names` goes by: `check` warns of patterns that fit none of them."""
    needs_region: ClassVar[bool] = False
    """Whether the service does not say where a resource is that it does not find in a region. Not found in another one
    is not gone, so an event without a region is refused."""
    arn_names_region: ClassVar[bool] = False
    """Whether RAM looks at the region in the name of such a resource, so that a policy can be about some regions."""
    codes: ClassVar[frozenset[str]] = frozenset()
    """Error codes of the service and reasons of repairs that metrics always count by name; a few dozen."""
    reads: ClassVar[Mapping[str, Callable[[Any], object]]] = {}
    """Requests to a target that change nothing, by the RAM action that each needs: what `check` tries."""

    @property
    def word(self) -> str:
        """The noun as a part of reasons, which are one word: `no_such_security_group`."""
        return self.noun.replace(" ", "_")

    @abstractmethod
    def names(self, resource_id: str) -> bool:
        """Whether a resource of this kind can have that id. It came in a message: anything may stand in it."""

    @abstractmethod
    def absent(self) -> str:
        """An id that no resource has: a look at it shows whether the service takes the credentials."""

    @abstractmethod
    def arn(self, resource_id: str) -> str:
        """On what RAM grants an action for the resource with that id; a pattern such as `*` is an id here."""

    def resource(self, account_id: str, region: str, resource_id: str) -> Resource:
        """The resource of that name, checked for form.

        Raises:
            Refused: it can be none of this kind, so acting on it can never succeed.
        """
        if not REGION.fullmatch(region):
            raise Refused("invalid_region", "the region does not have the form of a region id")
        if not self.names(resource_id):
            text = f"the resource id does not have the form of a {self.noun} name"
            raise Refused(f"invalid_{self.word}_name", text)
        return Resource(self.resource_type, account_id, region, resource_id)

    def parse(self, event: Event, default_region: str) -> Resource:
        """The resource that an event names; `default_region` is where it is looked for if the event does not say.

        Raises:
            Refused: it names none of this kind, so acting on it can never succeed.
        """
        if event.resource_type != self.resource_type:
            raise Refused("wrong_resource_type", f"the resource is no {self.resource_type}")
        resource = self.resource(event.account_id, event.region or default_region, event.resource_id)
        if self.needs_region and not event.region:
            raise Refused("no_region", f"the event names no region, and a {self.noun} cannot be found without")
        return resource

    def region_to_name(self, region: str, default_region: str) -> str:
        """The region for an event that is made for a person who may have named none.

        Where the look finds out, it stays empty: rules and exemptions that are about some regions judge what it found.
        """
        return region or (default_region if self.needs_region else "")
