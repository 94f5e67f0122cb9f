"""Control endpoints for access keys, and the credential sources that hand out temporary ones.

`/credentials` answers as a credentials URI does and `/latest/meta-data/…` as the ECS metadata service, so that the
vendors' own providers can be pointed at them.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from emulator.control.answers import DONE, Json
from emulator.control.bodies import Body, IdentityBody, read, validated
from emulator.identity import AccessKey
from emulator.world import World

_ROLE = "emulator-role"


class CredentialsQuery(Body):
    """GET /credentials: the query."""

    lifetime_seconds: float = 3600
    account_id: str | None = None


class IdentityEndpoints:
    """The world's access keys."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        metadata = "/latest/meta-data/ram/security-credentials/"
        return [
            Route("/identities", self.listed, methods=["GET"]),
            Route("/identities", self.add, methods=["POST"]),
            Route("/identities/{access_key_id}", self.remove, methods=["DELETE"]),
            Route("/credentials", self.temporary, methods=["GET"]),
            Route(metadata, self.role, methods=["GET"]),
            Route(metadata + "{role}", self.temporary, methods=["GET"]),
        ]

    async def listed(self, _: Request) -> Response:
        """Every key that may sign."""
        return Json({"identities": [self._shown(key) for key in self._world.identities.all()]})

    async def add(self, request: Request) -> Response:
        """Make a key known; what the body leaves out is made up."""
        body = await read(request, IdentityBody)
        token = body.security_token or (secrets.token_urlsafe(48) if body.temporary else None)
        key = AccessKey(
            access_key_id=body.access_key_id or _new_id(temporary=token is not None),
            secret=body.access_key_secret or secrets.token_urlsafe(22),
            account_id=body.account_id or self._world.account_id,
            security_token=token,
            expires_at=self._end(body.lifetime_seconds),
        )
        self._world.identities.add(key)
        return Json(self._shown(key), 201)

    async def remove(self, request: Request) -> Response:
        """Forget a key; requests signed with it are refused from now on."""
        self._world.identities.remove(request.path_params["access_key_id"])
        return Json(DONE)

    async def role(self, _: Request) -> Response:
        """The name of the role, as the ECS metadata service lists it."""
        return PlainTextResponse(_ROLE)

    async def temporary(self, request: Request) -> Response:
        """New temporary credentials at every request."""
        query = validated(dict(request.query_params), CredentialsQuery)
        key = AccessKey(
            access_key_id=_new_id(temporary=True),
            secret=secrets.token_urlsafe(22),
            account_id=query.account_id or self._world.account_id,
            security_token=secrets.token_urlsafe(48),
            expires_at=self._end(query.lifetime_seconds),
        )
        self._world.identities.add(key)
        return Json(
            {
                "Code": "Success",
                "AccessKeyId": key.access_key_id,
                "AccessKeySecret": key.secret,
                "SecurityToken": key.security_token,
                "Expiration": _iso(key.expires_at),
                "LastUpdated": _iso(self._world.clock.now()),
            }
        )

    def _end(self, lifetime_seconds: float | None) -> float | None:
        return None if lifetime_seconds is None else self._world.clock.now() + lifetime_seconds

    def _shown(self, key: AccessKey) -> dict[str, Any]:
        return {
            "access_key_id": key.access_key_id,
            "access_key_secret": key.secret,
            "account_id": key.account_id,
            "security_token": key.security_token,
            "expires_at": _iso(key.expires_at),
        }


def _new_id(*, temporary: bool) -> str:
    return ("STS." if temporary else "LTAI5t") + secrets.token_hex(9)


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
