"""Stands in for the provider aliyun/alicloud towards the real Terraform, with the recorded schema and no cloud.

Terraform validates, plans and imports a module against `schemas/terraform-alicloud.json`; what the provider's own
checks refuse (ranges, values, conflicts) is refused as an error, what it deprecates as a warning. Nothing can be
applied. The calls: `tfplugin5.proto` in github.com/hashicorp/terraform, docs/plugin-protocol.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.needed import package
from tests.deploy.terraform_wire import UNKNOWN, packed, part, parts, unpacked

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "schemas/terraform-alicloud.json").read_text("utf-8"))
ADDRESS = "registry.terraform.io/aliyun/alicloud"
_ERROR, _WARNING = 1, 2

Existing = Mapping[tuple[str, str], Mapping[str, Any]]
"""By resource type and id: the arguments that reading it returns."""


_Call = Callable[[Mapping[int, bytes]], bytes]
"""One call: the request's parts by their numbers, and the answer."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """What the provider finds: whose account and where, and what is there already."""

    account: str = "1234567890123456"
    region: str = "ap-southeast-1"
    existing: Existing = field(default_factory=dict)


@contextmanager
def provider(cloud: Cloud) -> Iterator[dict[str, str]]:
    """Serve on a socket; gives the environment in which Terraform uses it and asks no registry."""
    grpc = package("grpc")
    folder = Path(tempfile.mkdtemp(prefix="tf-"))  # a socket's path may not be long
    pool = ThreadPoolExecutor(4)
    server = grpc.server(pool)
    server.add_generic_rpc_handlers([_handler(grpc, _Provider(cloud).calls())])
    assert server.add_insecure_port(f"unix:{folder}/socket")
    server.start()
    (folder / "none.tfrc").touch()
    reattach = {
        "Protocol": "grpc",
        "ProtocolVersion": 5,
        "Pid": os.getpid(),
        "Test": True,  # it is not Terraform's to end
        "Addr": {"Network": "unix", "String": f"{folder}/socket"},
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "ALICLOUD", "ALIBABA"))}
    try:
        yield {
            **kept,
            "TF_REATTACH_PROVIDERS": json.dumps({ADDRESS: reattach}),
            "TF_CLI_CONFIG_FILE": f"{folder}/none.tfrc",
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(folder),
        }
    finally:
        server.stop(None).wait()
        pool.shutdown()
        shutil.rmtree(folder)


def _handler(grpc: Any, calls: Mapping[str, _Call]) -> Any:
    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, call: Any) -> Any:
            service, _, method = call.method.strip("/").partition("/")
            answer = calls.get(method) if service == "tfplugin5.Provider" else None
            if answer is None:
                return None  # UNIMPLEMENTED, which Terraform takes for an old provider
            return grpc.unary_unary_rpc_method_handler(lambda request, _: answer(parts(request)))

    return Handler()


class _Provider:
    """One method for each call of the protocol that planning makes."""

    def __init__(self, cloud: Cloud) -> None:
        self._existing = cloud.existing
        self._data = {
            "alicloud_account": {"id": cloud.account},
            "alicloud_regions": {"id": "1", "ids": [cloud.region], "regions": []},
        }

    def calls(self) -> dict[str, _Call]:
        """By the protocol's names."""
        return {
            "GetSchema": self.get_schema,
            "PrepareProviderConfig": self.prepare_provider_config,
            "ValidateResourceTypeConfig": self.validate_resource,
            "UpgradeResourceState": self.upgrade_state,
            "ReadDataSource": self.read_data_source,
            "ReadResource": self.read_resource,
            "ImportResourceState": self.import_resource,
            "PlanResourceChange": self.plan_change,
            "Configure": _nothing_to_say,
            "Stop": _nothing_to_say,
            "ValidateDataSourceConfig": _nothing_to_say,
        }

    def get_schema(self, _: Mapping[int, bytes]) -> bytes:
        """The provider's own block, the resources, the data sources."""
        described = [part(1, _schema({"arguments": {"region": {"type": "string", "kind": "o"}}}))]
        for number, kind in ((2, "resources"), (3, "data")):
            described += [part(number, part(1, name) + part(2, _schema(each))) for name, each in SCHEMA[kind].items()]
        return b"".join(described)

    def prepare_provider_config(self, request: Mapping[int, bytes]) -> bytes:
        """As it was given."""
        return part(1, request[1])

    def validate_resource(self, request: Mapping[int, bytes]) -> bytes:
        """What the provider's ValidateFunc, ConflictsWith and Deprecated say."""
        arguments = SCHEMA["resources"][request[1].decode()]["arguments"]
        return b"".join(part(1, each) for each in _findings(arguments, _value(request[2])))

    def upgrade_state(self, request: Mapping[int, bytes]) -> bytes:
        """No schema has another version."""
        return part(1, part(2, parts(request[3])[1]))

    def read_data_source(self, request: Mapping[int, bytes]) -> bytes:
        """The account and the region."""
        return part(1, part(1, packed({**_value(request[2]), **self._data[request[1].decode()]})))

    def read_resource(self, request: Mapping[int, bytes]) -> bytes:
        """As it was imported."""
        return part(1, request[2])

    def import_resource(self, request: Mapping[int, bytes]) -> bytes:
        """What exists under that id."""
        kind, identity = request[1].decode(), request[2].decode()
        found = self._existing.get((kind, identity))
        if found is None:
            return part(2, _diagnostic(_ERROR, f"no {kind} {identity}"))
        state = {**_nothing(SCHEMA["resources"][kind]), **found, "id": identity}
        return part(1, part(1, kind) + part(2, part(1, packed(state))))

    def plan_change(self, request: Mapping[int, bytes]) -> bytes:
        """As proposed; what is computed and has no value yet is unknown."""
        arguments = SCHEMA["resources"][request[1].decode()]["arguments"]
        prior, proposed = _value(request[2]), _value(request[3])
        if proposed is None:
            return part(1, request[3])
        planned = {
            name: UNKNOWN
            if value is None and prior is None and "c" in arguments.get(name, {}).get("kind", "")
            else value
            for name, value in proposed.items()
        }
        replaced = [name for name in arguments if arguments[name].get("new") and prior and prior[name] != planned[name]]
        paths = b"".join(part(2, part(1, part(1, name))) for name in replaced)
        return part(1, part(1, packed(planned))) + paths


def _nothing_to_say(_: Mapping[int, bytes]) -> bytes:
    return b""


def _value(dynamic: bytes) -> Any:
    return unpacked(parts(dynamic)[1])


def _nothing(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(schema["arguments"]), **{name: [] for name in schema.get("blocks", {})}}


def _schema(recorded: Mapping[str, Any]) -> bytes:
    attributes = [_attribute(name, each) for name, each in recorded["arguments"].items()]
    blocks = [
        part(1, name) + part(2, _block([_attribute(each, {"type": kind, "kind": "o"}) for each, kind in inner.items()]))
        + part(3, 2) + part(5, 1)  # a list of at most one
        for name, inner in recorded.get("blocks", {}).items()
    ]  # fmt: skip
    return part(2, _block(attributes, blocks))


def _block(attributes: list[bytes], blocks: list[bytes] | None = None) -> bytes:
    return b"".join(part(2, each) for each in attributes) + b"".join(part(3, each) for each in blocks or [])


def _attribute(name: str, recorded: Mapping[str, Any]) -> bytes:
    flags = b"".join(part(number, letter in recorded["kind"]) for number, letter in ((4, "r"), (5, "o"), (6, "c")))
    return part(1, name) + part(2, json.dumps(recorded["type"])) + flags + part(9, "deprecated" in recorded)


def _findings(arguments: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[bytes]:
    given = {name: value for name, value in config.items() if value is not None and name in arguments}
    for name, value in given.items():
        recorded = arguments[name]
        if clash := [other for other in recorded.get("conflicts", ()) if other in given]:
            yield _diagnostic(_ERROR, f"{name} conflicts with {clash[0]}")
        if "deprecated" in recorded:
            yield _diagnostic(_WARNING, f"{name} is deprecated since {recorded['deprecated']}")
        if value is UNKNOWN:
            continue
        if "values" in recorded and value not in recorded["values"]:
            yield _diagnostic(_ERROR, f"expected {name} to be one of {recorded['values']}, got {value}")
        if "range" in recorded and not recorded["range"][0] <= value <= recorded["range"][1]:
            yield _diagnostic(_ERROR, f"expected {name} to be in the range {recorded['range']}, got {value}")


def _diagnostic(severity: int, summary: str) -> bytes:
    return part(1, severity) + part(2, summary)
