"""What every section of the configuration is made of: the base class and the kinds of text that keys take.

A kind of text carries its own sentence of what is allowed, so that an error, the reference and the example say the
same. Nothing here reads a file or the environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from consumer.announcements.records import Kind
from consumer.guards.window import NoWindow, TimeWindow

_ENDPOINT = re.compile(r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_HIGHEST_PORT = 65_535
_REGION = r"[a-z]{2,16}(-[a-z0-9]{1,16}){0,5}"
"""What `consumer.core.event.REGION` takes, together with the length, in the dialect that JSON Schema shares."""
_LONGEST_REGION = 45


class Section(BaseModel):
    """One table of the file: frozen, unknown keys refused, TOML's own types taken as they are and never guessed."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=False
    )


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a key takes, where its type and range do not say it; completes "must be …"."""

    text: str


def checked_endpoint(url: str) -> str:
    """The URL of a service without anything that could lead elsewhere.

    Raises:
        ValueError: it has no scheme, or more than scheme, host and port.
    """
    found = _ENDPOINT.fullmatch(url)
    if url and (found is None or int(found.group(1) or 0) > _HIGHEST_PORT):
        raise ValueError("not an endpoint")
    return url


_SHARED = re.compile(
    r"rediss?://(?:[A-Za-z0-9._-]{1,64}@)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::([0-9]{1,5}))?(?:/[0-9]{1,3})?"
)


def _checked_shared(url: str) -> str:
    """The URL of a Redis-compatible service, without a password.

    Raises:
        ValueError: it is none, or more than scheme, user, host, port and database.
    """
    found = _SHARED.fullmatch(url)
    if url and (found is None or int(found.group(1) or 0) > _HIGHEST_PORT):
        raise ValueError("not the URL of a store")
    return url


AccountId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{5,20}$"),
    Allowed("an account id in quotes: 5 to 20 digits"),
]
Region = Annotated[
    str,
    StringConstraints(pattern=f"^{_REGION}$", max_length=_LONGEST_REGION),
    Allowed("a region id such as cn-hangzhou, without a prefix or a dot"),
]
RegionOrNone = Annotated[
    str,
    StringConstraints(pattern=f"^({_REGION})?$", max_length=_LONGEST_REGION),
    Allowed("a region id such as cn-hangzhou, without a prefix or a dot, or empty"),
]
QueueName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,119}$"),
    Allowed("at most 120 letters, digits and hyphens, the first one not a hyphen"),
]
QueueNameOrNone = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9-]{0,119})?$"),
    Allowed("at most 120 letters, digits and hyphens, the first one not a hyphen, or empty"),
]
BucketNameOrNone = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z0-9][a-z0-9-]{1,61}[a-z0-9])?$"),
    Allowed("the name of a bucket: 3 to 63 lower-case letters, digits and hyphens, or empty"),
]
_ENDPOINT_TEXT = "https://host or https://host:port (http:// only if you write it), without path, user or query"
Endpoint = Annotated[str, StringConstraints(min_length=1), AfterValidator(checked_endpoint), Allowed(_ENDPOINT_TEXT)]
EndpointOrNone = Annotated[str, AfterValidator(checked_endpoint), Allowed(f"{_ENDPOINT_TEXT}, or empty")]
SharedOrNone = Annotated[
    str,
    AfterValidator(_checked_shared),
    Allowed("redis://host:port/number, or rediss:// for TLS, with a user@ but no password, or empty"),
]
EndpointKey = Annotated[
    str,
    StringConstraints(pattern=rf"^(\*|{_REGION})$", max_length=_LONGEST_REGION),
    Allowed('a region id such as cn-hangzhou, or "*"'),
]
RuleName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"),
    Allowed("at most 63 lower-case letters, digits and hyphens, the first one not a hyphen"),
]
ResourceType = Annotated[
    str,
    StringConstraints(pattern=r"^ACS::[A-Za-z0-9]+::[A-Za-z0-9]+$"),
    Allowed("a resource type such as ACS::OSS::Bucket"),
]
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256),
    Allowed("text of 1 to 256 characters"),
]
_WINDOW_TEXT = 'days, times and a zone such as "Mon-Fri 09:00-17:00 Asia/Shanghai" or "daily 22:00-06:00 UTC"'


def _checked_window(text: str) -> str:
    """A window of time.

    Raises:
        ValueError: it is none; the text says why.
    """
    try:
        return TimeWindow.parsed(text).text
    except NoWindow as error:
        raise ValueError(f"must be {_WINDOW_TEXT} ({error})") from None


TimeWindowText = Annotated[str, AfterValidator(_checked_window), Allowed(_WINDOW_TEXT)]
AnnouncedKinds = Annotated[tuple[Annotated[Kind, Field(strict=False)], ...], Field(strict=False)]
