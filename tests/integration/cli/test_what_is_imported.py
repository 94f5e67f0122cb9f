"""A worker at work has run none of the modules that only something else needs: each costs memory and a start's time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import oss2.crypto
import oss2.utils
import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.patience import PATIENCE_SECONDS

UNNEEDED = {
    "cryptography": "by the SDK's client of KMS, for encrypting objects before an upload",
    "aliyunsdkcore.request": "the same",
    "Crypto.Util._raw_api": "the ciphers of the same, with a parser of C behind it",
    "cffi": "the same",
    "pycparser": "the same",
    "requests.sessions": "the transport of the SDK, in whose place ours sends",
    "charset_normalizer.api": "the same, for texts in unknown alphabets",
    "rich": "for tables of commands; structlog would show local variables with it",
    "pygments": "the same",
    "alibabacloud_credentials": "where keys are in the environment",
    "aiohttp": "by the vendor's credentials",
    "apscheduler": "the same",
    "alibabacloud_tea_openapi": "for Cloud Config, which is not asked",
    "redis": "for guards that replicas share",
    "consumer.operator.check": "what a command does",
}
"""What each would be for."""

_REMEMBERING = """
import atexit, json, pathlib, sys
seen = pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: seen.write_text(json.dumps(sorted(sys.modules))))
from consumer.cli.main import main
main()
"""


@pytest.fixture
def imported(cli: Cli, channel: Emulator, tmp_path: Path) -> set[str]:
    """The modules of a worker that has repaired a bucket, logged it and stopped."""
    channel.create_buckets(["photos"], acl="public-read")
    seen = tmp_path / "imported.json"
    worker = subprocess.Popen(
        [sys.executable, "-c", _REMEMBERING, str(seen), "run", "--config", str(cli.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={name: value for name, value in cli.environment.items() if value},
    )
    try:
        eventually(lambda: channel.acls()["photos"] == "private")
    finally:
        worker.terminate()
        out, _ = worker.communicate(timeout=PATIENCE_SECONDS)
    assert worker.returncode == 0, out
    assert '"event": "delivery.settled"' in out
    return set(json.loads(seen.read_text(encoding="utf-8")))


def test_a_worker_imports_what_it_needs_and_nothing_heavy_beside(imported: set[str]) -> None:
    """The SDKs are there, and of what they and others bring along only what runs."""
    assert {"oss2", "mns", "consumer.engine.worker"} <= imported
    assert not imported & set(UNNEEDED)


def test_what_is_put_off_works_as_ever() -> None:
    """Whoever uses one of those modules gets the vendor's own."""
    assert oss2.utils.AES.MODE_CTR == 6
    assert oss2.crypto.RSA.generate(1024).has_private()
    assert oss2.Session().session.adapters.keys() == {"http://", "https://"}
    assert oss2.http.requests.compat.chardet.detect("größer".encode())["encoding"]
    assert oss2.crypto.client.AcsClient.__module__ == "aliyunsdkcore.client"


@pytest.mark.parametrize(
    "first", ["requests.adapters", "requests.sessions", "requests.exceptions", "charset_normalizer.api", "requests"]
)
def test_what_is_put_off_can_be_imported_at_any_place(first: str) -> None:
    """By whoever comes first in a process that has put it off."""
    code = (
        f"import consumer.aliyun.oss.client, {first}, requests\n"
        "from requests.adapters import HTTPAdapter\n"
        "assert requests.Session().adapters['http://'].__class__ is HTTPAdapter\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_SECONDS)
