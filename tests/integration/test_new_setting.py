"""A setting that is added is one file: it is read, written, simulated, granted and recorded without another change.

The file stands in a folder of the test, and describes transfer acceleration, which nothing in this project knows.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from consumer.aliyun.oss.client import Oss, OssSettings
from consumer.aliyun.oss.endpoints import Endpoints
from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.core.errors import PermanentError
from consumer.core.observers import Hooks
from consumer.operator.simulate.buckets import Assumed, SimulatedBuckets, recorded
from consumer.resources.oss import settings
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.kind import BUCKETS
from consumer.resources.oss.settings.base import Setting
from consumer.resources.oss.settings.catalogue import catalogue, named_actions
from consumer.resources.ram_actions import actions_of
from emulator.client import Emulator
from tests.integration.conftest import FixedCredentials, Recorder
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import FakeBucket, FakeBuckets

EXAMPLE = Path(__file__).parents[1] / "example_plugin"
FILE = '''
"""https://www.alibabacloud.com/help/en/oss/developer-reference/getbuckettransferacceleration"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from consumer.resources.oss.settings.base import ANY_MISSING, Setting, SettingRequest
from consumer.resources.oss.xml_documents import add, required_flag, unambiguous

_ROOT = "TransferAccelerationConfiguration"


def _parse(body: bytes) -> bool:
    return required_flag(unambiguous(body, _ROOT), "Enabled")


def _render(enabled: bool) -> bytes:
    root = ET.Element(_ROOT)
    add(root, "Enabled", enabled)
    return ET.tostring(root)


ACCELERATION: Setting[bool] = Setting(
    name="acceleration",
    record=bool,
    unset=False,
    get=SettingRequest.reading("GetBucketTransferAcceleration", "transferAcceleration"),
    put=SettingRequest.writing("PutBucketTransferAcceleration", "transferAcceleration", "oss:PutBucketAcceleration"),
    parse=_parse,
    render=_render,
    unset_code=ANY_MISSING,
)
'''


@pytest.fixture
def acceleration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setting[Any]]:
    """The setting, found like every other one."""
    (tmp_path / "acceleration.py").write_text(FILE, encoding="utf-8")
    monkeypatch.setattr(settings, "__path__", [*settings.__path__, str(tmp_path)])
    catalogue.cache_clear()
    named_actions.cache_clear()
    yield catalogue()["acceleration"]
    catalogue.cache_clear()
    named_actions.cache_clear()


@pytest.fixture
def bucket(emulator: Emulator, credentials: FixedCredentials, recorder: Recorder) -> Iterator[Bucket]:
    """A bucket as the pipeline gets it; not made yet."""
    retrier = Retrier(RetryPolicy(1, 0.001, 0.002), Hooks(), threading.Event())
    settings = OssSettings(Endpoints({"*": emulator.oss}), call_timeout_seconds=5)
    known, until = emulator.endpoints, time.monotonic() + PATIENCE_SECONDS
    oss = Oss(settings, credentials, Hooks((recorder,)), retrier)
    yield oss.open(BUCKETS.resource(known.account_id, known.region, "photos"), lambda: until)
    oss.close()


def test_it_is_read_and_written(
    acceleration: Setting[Any], emulator: Emulator, bucket: Bucket, recorder: Recorder
) -> None:
    """By the gateway, over HTTP: unset at first, which the service calls an error."""
    emulator.create_buckets(["photos"])
    assert bucket.read(acceleration) is False
    bucket.write(acceleration, True)
    assert bucket.read(acceleration) is True
    assert [(call.operation, call.code) for call in recorder.calls] == [
        ("GetBucketTransferAcceleration", "NoSuchTransferAccelerationConfiguration"),
        ("PutBucketTransferAcceleration", "ok"),
        ("GetBucketTransferAcceleration", "ok"),
    ]
    with pytest.raises(NotImplementedError, match="acceleration has no delete"):
        bucket.clear(acceleration)


def test_one_of_somebody_elses_package_is_read(
    emulator: Emulator, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's example: a value in a package of its own, registered nowhere."""
    emulator.create_buckets(["photos"])
    monkeypatch.syspath_prepend(EXAMPLE)
    assert bucket.read(import_module("example_remediations.acceleration").ACCELERATION) is False


def test_it_is_simulated_and_recorded(acceleration: Setting[Any], tmp_path: Path) -> None:
    """Recorded states name it, a simulated bucket keeps it, and so do the tests' own buckets."""
    path = tmp_path / "states.json"
    path.write_text(json.dumps({"photos": {"acceleration": True}, "logs": {}}), encoding="utf-8")
    world = SimulatedBuckets(recorded(path), Assumed.GONE)
    photos, logs = (
        world.open(BUCKETS.resource("1" * 16, "cn-hangzhou", name), time.monotonic) for name in world.states
    )
    assert (photos.read(acceleration), logs.read(acceleration)) == (True, False)
    logs.write(acceleration, True)
    assert logs.read(acceleration) is True
    logs.clear(acceleration)
    assert logs.read(acceleration) is False
    fake = FakeBucket(FakeBuckets(), "photos")
    fake.write(acceleration, True)
    assert fake.read(acceleration) is True


def test_its_permissions_are_known(acceleration: Setting[Any]) -> None:
    """By the operation's name where nothing else is said."""
    assert acceleration.read_action == "oss:GetBucketTransferAcceleration"
    assert acceleration.write_action == "oss:PutBucketAcceleration"
    assert actions_of("oss", "PutBucketTransferAcceleration") == ("oss:PutBucketAcceleration",)


def test_what_cannot_be_written_is_refused_before_it_is_sent(bucket: Bucket, recorder: Recorder) -> None:
    """Asked again it would be refused again."""
    with pytest.raises(PermanentError) as refused:
        bucket.write(catalogue()["tags"], {"": "no key"})
    assert (refused.value.code, recorder.calls) == ("invalid_request", [])
