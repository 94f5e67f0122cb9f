"""The emulated ECS asked as people ask the real one: through the vendor's own generic client."""

from __future__ import annotations

import json
from typing import Any

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from alibabacloud_tea_openapi.utils import Utils
from darabonba.runtime import RuntimeOptions

from emulator.client import Emulator

GROUP = "sg-web"
EVERYONE = "0.0.0.0/0"
SSH = {"port_range": "22/22", "source_cidr_ip": EVERYONE}
OFFICE = {"port_range": "22/22", "source_cidr_ip": "203.0.113.0/24"}


class Ecs:
    """The vendor's client with one key, by default the emulator's own."""

    def __init__(self, emulator: Emulator, key_id: str = "", secret: str = "", token: str | None = None) -> None:
        known = emulator.endpoints
        self._region = known.region
        self._client = Client(
            Config(
                access_key_id=key_id or known.access_key_id,
                access_key_secret=secret or known.access_key_secret,
                security_token=token,
                endpoint=emulator.ecs.removeprefix("http://"),
                protocol="http",
            )
        )

    def ask(self, action: str, **asked: Any) -> dict[str, Any]:
        """The body of the answer; lists and objects are flattened as the vendor's service packages flatten them."""
        query = {"RegionId": self._region, **{name: value for name, value in asked.items() if value is not None}}
        params = Params(
            action=action,
            version="2014-05-26",
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        answer = self._client.call_api(params, OpenApiRequest(query=Utils.query(query)), RuntimeOptions())
        body: dict[str, Any] = answer["body"]
        return body

    def refused(self, action: str, **asked: Any) -> tuple[int, str]:
        """The status and the code of a refusal; fails when it is not refused."""
        try:
            body = self.ask(action, **asked)
        except AlibabaCloudException as refusal:
            return int(refusal.status_code), str(refusal.code)
        raise AssertionError(f"{action} was not refused: {json.dumps(body)}")

    def rules(self, group: str = GROUP, **asked: Any) -> list[dict[str, str]]:
        """The rules of a group, all pages."""
        found: list[dict[str, str]] = []
        token: str | None = None
        while True:
            page = self.ask("DescribeSecurityGroupAttribute", SecurityGroupId=group, NextToken=token, **asked)
            found += page["Permissions"]["Permission"]
            if not (token := page["NextToken"]):
                return found
