"""Which suites are run: the package that carries each, what it needs, and how it is told where the emulator is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emulator.client import Emulator

PAYER = "2222222222222222"
BUCKET = "compat-bucket"
_ENDPOINT = "http://oss-cn-hangzhou.aliyuncs.com"
"""The name that suites expect; `network/sitecustomize.py` makes it resolve to the emulator."""

Environment = dict[str, str]


@dataclass(frozen=True, slots=True)
class Suite:
    """One published package whose source distribution holds its tests."""

    name: str
    version: str
    tests: tuple[str, ...]
    """Paths in the source distribution that pytest is given."""
    requirements: tuple[str, ...]
    """What is installed to run them."""
    prepare: Callable[[Emulator], Environment]
    """Sets the emulator up and says in which variables the suite finds it."""

    @property
    def requirement(self) -> str:
        """The package as pip wants it."""
        return f"{self.name}=={self.version}"

    @property
    def expected(self) -> Path:
        """The committed list of what is expected to fail."""
        return Path(__file__).parent / "expected" / f"{self.name}.txt"


def _oss2(emulator: Emulator) -> Environment:
    payer = emulator.add_identity(account_id=PAYER)
    key = emulator.endpoints
    return {
        "OSS_TEST_ACCESS_KEY_ID": key.access_key_id,
        "OSS_TEST_ACCESS_KEY_SECRET": key.access_key_secret,
        "OSS_TEST_ENDPOINT": _ENDPOINT,
        "OSS_TEST_BUCKET": "oss-python-sdk-",
        "OSS_TEST_REGION": key.region,
        "OSS_TEST_UID": key.account_id,
        "OSS_TEST_CNAME": "cname.example",
        "OSS_TEST_STS_ID": key.access_key_id,
        "OSS_TEST_STS_KEY": key.access_key_secret,
        "OSS_TEST_STS_ARN": f"acs:ram::{key.account_id}:role/compat",
        "OSS_TEST_PAYER_UID": PAYER,
        "OSS_TEST_PAYER_ACCESS_KEY_ID": payer.access_key_id,
        "OSS_TEST_PAYER_ACCESS_KEY_SECRET": payer.access_key_secret,
        "OSS_TEST_RAM_ROLE_ARN": f"acs:ram::{key.account_id}:role/compat",
        "OSS_TEST_RAM_UID": key.account_id,
    }


def _asynchronous(emulator: Emulator) -> Environment:
    emulator.create_buckets([BUCKET])
    key = emulator.endpoints
    return {
        "OSS_ACCESS_KEY_ID": key.access_key_id,
        "OSS_SECRET_ACCESS_KEY": key.access_key_secret,
        "OSS_ACCESS_KEY_SECRET": key.access_key_secret,
        "OSS_ENDPOINT": _ENDPOINT,
        "OSS_TEST_BUCKET_NAME": BUCKET,
    }


SUITES = (
    Suite("oss2", "2.19.1", ("tests",), ("mock==5.2.0", "aliyun-python-sdk-sts==3.1.3"), _oss2),
    Suite(
        "aiooss2",
        "0.2.11",
        ("tests",),
        ("oss2==2.18.4", "aiohttp==3.9.5", "pytest-asyncio==0.26.0", "pytest-mock==3.14.0"),
        _asynchronous,
    ),
)
