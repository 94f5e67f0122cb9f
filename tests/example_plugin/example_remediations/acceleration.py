"""A setting of a bucket that the worker itself does not read: transfer acceleration."""

from __future__ import annotations

from consumer.plugin import Setting, SettingRequest, setting_document


def _parse(body: bytes) -> bool:
    document = setting_document(body, "TransferAccelerationConfiguration")
    return document.findtext("Enabled") == "true"


ACCELERATION: Setting[bool] = Setting(
    name="acceleration",
    record=bool,
    unset=False,
    get=SettingRequest.reading("GetBucketTransferAcceleration", "transferAcceleration"),
    parse=_parse,
    unset_code="NoSuchTransferAccelerationConfiguration",
)
