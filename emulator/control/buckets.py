"""Control endpoints for buckets: make many at once, change one by hand, delete one; nothing is signed here."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.cloudconfig.configuration import BUCKET
from emulator.control.answers import DONE, Json
from emulator.control.bodies import Body, Refused, read
from emulator.emulation import Emulation
from emulator.oss.bucket import Bucket, Encryption, HttpsConfig, Logging, Referer, as_json
from emulator.oss.errors import OssRefusal


class BucketSettings(Body):
    """PATCH /buckets/{bucket}: only what is named is changed; null takes a setting away."""

    acl: Literal["private", "public-read", "public-read-write"] = "private"
    policy: str | dict[str, Any] | None = None
    encryption: Encryption | None = None
    versioning: Literal["Enabled", "Suspended"] | None = None
    logging: Logging | None = None
    referer: Referer = Referer()
    https_config: HttpsConfig = HttpsConfig()
    public_access_block: bool = False
    tagging: dict[str, str] = Field(default_factory=dict)
    redundancy: Literal["LRS", "ZRS"] = "LRS"
    storage_class: str = "Standard"
    owner_id: str = Field("", min_length=1)
    region: str = Field("", min_length=1)

    def named(self) -> dict[str, Any]:
        """The settings that the request named, as fields of a bucket."""
        values = {name: getattr(self, name) for name in self.model_fields_set & _SETTINGS}
        if isinstance(values.get("policy"), dict):
            values["policy"] = json.dumps(values["policy"])
        return values


_AT_ONCE = 50
_SETTINGS = frozenset(BucketSettings.model_fields)


class BucketsBody(BucketSettings):
    """POST /buckets: `names`, or `prefix` and `count`; the settings hold for all of them."""

    names: list[str] = Field(default_factory=list)
    prefix: str = "bucket-"
    count: int = Field(0, ge=0, le=100_000)
    first: int = Field(0, ge=0)

    def all_names(self) -> list[str]:
        """The wanted names."""
        numbered = range(self.first, self.first + self.count)
        return [*self.names, *(f"{self.prefix}{number:05d}" for number in numbered)]


class BucketEndpoints:
    """The buckets of the emulated OSS."""

    def __init__(self, emulation: Emulation) -> None:
        self._oss = emulation.oss
        self._config = emulation.config
        self._journal = emulation.world.journal

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/buckets", self.listed, methods=["GET"]),
            Route("/buckets", self.create, methods=["POST"]),
            Route("/buckets/{bucket}", self.show, methods=["GET"]),
            Route("/buckets/{bucket}", self.change, methods=["PATCH"]),
            Route("/buckets/{bucket}", self.delete, methods=["DELETE"]),
        ]

    async def listed(self, _: Request) -> Response:
        """Every bucket's name and ACL."""
        return Json({"buckets": {name: bucket.acl for name, bucket in self._oss.buckets.items()}})

    async def create(self, request: Request) -> Response:
        """Create them; none when one of the names is taken."""
        body = await read(request, BucketsBody)
        names = body.all_names()
        if not names:
            raise Refused("names: at least one name, or a prefix with a count above 0")
        if taken := [name for name in names if name in self._oss.buckets]:
            raise Refused(f"these exist already: {', '.join(taken[:10])}", status=409)
        for number, name in enumerate(names):
            self._create(name, body.named())
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others are served meanwhile
        return Json({"buckets": names}, 201)

    def _create(self, name: str, settings: dict[str, Any]) -> None:
        try:
            self._oss.create_bucket(name, **settings)
        except OssRefusal as refusal:
            raise Refused(f"{name}: {refusal}") from None

    async def show(self, request: Request) -> Response:
        """One bucket with everything configured on it."""
        return Json(self._bucket(request).as_json())

    async def change(self, request: Request) -> Response:
        """Somebody changes it by hand: no signature, no Block Public Access check, journaled as `control`."""
        bucket = self._bucket(request)
        settings = (await read(request, BucketSettings)).named()
        before = {name: getattr(bucket, name) for name in settings}
        for name, value in settings.items():
            setattr(bucket, name, value)
        self._journal.changed(
            "control", "PatchBucket", bucket.name, before=_journaled(before), after=_journaled(settings)
        )
        self._config.changed(BUCKET, bucket.name)
        return Json(bucket.as_json())

    async def delete(self, request: Request) -> Response:
        """Delete it with everything in it."""
        bucket = self._bucket(request)
        self._oss.delete_bucket(bucket.name)
        return Json(DONE)

    def _bucket(self, request: Request) -> Bucket:
        name = request.path_params["bucket"]
        bucket = self._oss.buckets.get(name)
        if bucket is None:
            raise Refused(f"no such bucket: {name}", status=404)
        return bucket


def _journaled(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: as_json(value) for name, value in settings.items()}
