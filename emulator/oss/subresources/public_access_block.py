"""Block Public Access of a bucket and of a whole account.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketpublicaccessblock . Existing grants stay as
they are and are ignored while it is on.
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.call import Admission, Level, Operation, OssCall, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.subresources.booleans import optional_flag, shown

_NAME = "publicAccessBlock"


def _asked(call: OssCall) -> bool:
    return bool(optional_flag(call.body("PublicAccessBlockConfiguration"), "BlockPublicAccess"))


def _answer(blocks: bool) -> Response:
    return answer("PublicAccessBlockConfiguration", [("BlockPublicAccess", shown(blocks))])


def _set(call: OssCall, blocks: bool) -> None:
    before, call.bucket.public_access_block = call.bucket.public_access_block, blocks
    call.changed(before, blocks)


def _no_access_point(call: OssCall) -> None:
    """Access points have their own setting; there are none here."""
    if "x-oss-access-point-name" in call.query:
        raise OssRefusal(Oss.NO_ACCESS_POINT)


def put(call: OssCall) -> Response:
    """Switch it on or off for the bucket."""
    _no_access_point(call)
    _set(call, _asked(call))
    return done()


def get(call: OssCall) -> Response:
    """The bucket's own setting; the account's is not mixed in."""
    _no_access_point(call)
    return _answer(call.bucket.public_access_block)


def delete(call: OssCall) -> Response:
    """Switch it off for the bucket."""
    _no_access_point(call)
    if call.bucket.public_access_block:
        _set(call, False)
    return gone()


def _set_account(call: OssCall, blocks: bool) -> None:
    call.store.block_account(
        call.account_id,
        blocks,
        call.operation.name,
        request_id=call.request_id,
        access_key_id=call.caller.access_key_id,
    )


def put_account(call: OssCall) -> Response:
    """Switch it on or off for all of the account's buckets."""
    _set_account(call, _asked(call))
    return done()


def get_account(call: OssCall) -> Response:
    """The account's setting."""
    return _answer(call.account_id in call.store.blocked_accounts)


def delete_account(call: OssCall) -> Response:
    """Switch it off for the account."""
    _set_account(call, False)
    return gone()


OPERATIONS = (
    Operation("PutBucketPublicAccessBlock", Level.BUCKET, "PUT", _NAME, put),
    Operation("GetBucketPublicAccessBlock", Level.BUCKET, "GET", _NAME, get, reads=True),
    Operation("DeleteBucketPublicAccessBlock", Level.BUCKET, "DELETE", _NAME, delete),
    Operation("PutPublicAccessBlock", Level.SERVICE, "PUT", _NAME, put_account, Admission.SIGNED),
    Operation("GetPublicAccessBlock", Level.SERVICE, "GET", _NAME, get_account, Admission.SIGNED, reads=True),
    Operation("DeletePublicAccessBlock", Level.SERVICE, "DELETE", _NAME, delete_account, Admission.SIGNED),
)
