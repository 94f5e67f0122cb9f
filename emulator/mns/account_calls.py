"""The operations on the account: its logging bucket, and opening the service."""

from __future__ import annotations

from emulator.http import Response
from emulator.mns import record
from emulator.mns.broker import Broker
from emulator.mns.call import MnsCall, answer


def get_account_attributes(broker: Broker, call: MnsCall) -> Response:
    """200 with `<Account>`."""
    record.read(broker.world, call)
    return answer(200, "Account", [("LoggingBucket", broker.logging_bucket)])


def set_account_attributes(broker: Broker, call: MnsCall) -> Response:
    """204; an empty logging bucket switches logging off."""
    bucket = call.root("Account").texts().get("LoggingBucket")
    if bucket is not None:
        broker.logging_bucket = bucket.strip()
        record.changed(broker.world, call, logging_bucket=broker.logging_bucket)
    return answer(204)


def open_service(broker: Broker, call: MnsCall) -> Response:
    """200 with an order id; the service is always open here."""
    record.read(broker.world, call)
    return answer(200, "OpenService", [("OrderId", call.request_id)])
