"""Default server-side encryption.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketencryption
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.bucket import Encryption
from emulator.oss.call import Level, Operation, OssCall, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal, invalid_argument
from emulator.xml import Node

_ALGORITHMS = frozenset({"AES256", "KMS", "SM4"})


def put(call: OssCall) -> Response:
    """Replace the rule."""
    rule = call.body("ServerSideEncryptionRule").find("ApplyServerSideEncryptionByDefault")
    if rule is None or rule.value("SSEAlgorithm") is None:
        raise OssRefusal(Oss.MALFORMED)
    algorithm = rule.value("SSEAlgorithm") or ""
    key_id = rule.value("KMSMasterKeyID") or None
    data_encryption = rule.value("KMSDataEncryption") or None
    if algorithm not in _ALGORITHMS:
        raise OssRefusal(Oss.ENCRYPTION_ALGORITHM)
    if key_id is not None and algorithm != "KMS":
        raise invalid_argument(Oss.KMS_KEY_UNUSED, "KMSMasterKeyID", key_id)
    if data_encryption not in (None, "SM4"):
        raise invalid_argument(Oss.KMS_DATA_ENCRYPTION, "KMSDataEncryption", data_encryption)
    before = call.bucket.encryption
    call.bucket.encryption = Encryption(algorithm, key_id, data_encryption if algorithm == "KMS" else None)
    call.changed(before, call.bucket.encryption)
    return done()


def get(call: OssCall) -> Response:
    """The rule; raises Refusal(NoSuchServerSideEncryptionRule) when there is none."""
    rule = call.bucket.encryption
    if rule is None:
        raise OssRefusal(Oss.NO_ENCRYPTION, BucketName=call.name)
    nodes: list[Node] = [("SSEAlgorithm", rule.algorithm)]
    if rule.kms_key_id is not None:
        nodes.append(("KMSMasterKeyID", rule.kms_key_id))
    if rule.kms_data_encryption is not None:
        nodes.append(("KMSDataEncryption", rule.kms_data_encryption))
    return answer("ServerSideEncryptionRule", [("ApplyServerSideEncryptionByDefault", nodes)])


def delete(call: OssCall) -> Response:
    """Drop the rule; without one nothing happens."""
    before, call.bucket.encryption = call.bucket.encryption, None
    if before is not None:
        call.changed(before, None)
    return gone()


OPERATIONS = (
    Operation("PutBucketEncryption", Level.BUCKET, "PUT", "encryption", put),
    Operation("GetBucketEncryption", Level.BUCKET, "GET", "encryption", get, reads=True),
    Operation("DeleteBucketEncryption", Level.BUCKET, "DELETE", "encryption", delete),
)
