"""The events that are repaired: the fullest published form (1.2 kB), built as the emulator's Cloud Config builds it."""

from __future__ import annotations

import json

from bench.names import ACCOUNT_ID, REGION, RULE_ID
from emulator.cloudconfig.configuration import BucketConfiguration
from emulator.cloudconfig.events import NonCompliance, Trigger, Variant, non_compliance
from emulator.cloudconfig.rules import configured
from emulator.cloudconfig.verdict import Annotation

_RULE = configured("oss-bucket-public-read-prohibited", rule_id=RULE_ID)
_ANNOTATION = Annotation("public-read", "read", "NotContains", "$.AccessControlList.Grant")


def body(bucket: str, now_ms: int) -> str:
    """A queue body as a SIMPLIFIED subscription delivers it: the event itself."""
    fact = NonCompliance(
        resource=BucketConfiguration(name=bucket, owner_id=ACCOUNT_ID, region=REGION, created=now_ms / 1000),
        account_id=ACCOUNT_ID,
        rule=_RULE,
        annotation=_ANNOTATION,
        trigger=Trigger.CHANGE,
        evaluated_ms=now_ms,
        created_ms=now_ms,
        request_id=f"{now_ms:012d}-{bucket}",
    )
    return json.dumps(non_compliance(fact, Variant.LOG_SERVICE), ensure_ascii=False)
