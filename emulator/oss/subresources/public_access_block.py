"""Block Public Access of a bucket and of a whole account.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketpublicaccessblock . Existing grants stay as
they are and are ignored while it is on.
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.call import Admission, Call, Level, Operation, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import Refusal
from emulator.oss.subresources.booleans import optional_flag, shown

_NAME = "publicAccessBlock"


def _asked(call: Call) -> bool:
    return bool(optional_flag(call.body("PublicAccessBlockConfiguration"), "BlockPublicAccess"))


def _answer(blocks: bool) -> Response:
    return answer("PublicAccessBlockConfiguration", [("BlockPublicAccess", shown(blocks))])


def _set(call: Call, blocks: bool) -> None:
    before, call.bucket.public_access_block = call.bucket.public_access_block, blocks
    call.changed(before, blocks)


def _no_access_point(call: Call) -> None:
    """Access points have their own setting; there are none here."""
    if "x-oss-access-point-name" in call.query:
        raise Refusal(Oss.NO_ACCESS_POINT)


def put(call: Call) -> Response:
    """Switch it on or off for the bucket."""
    _no_access_point(call)
    _set(call, _asked(call))
    return done()


def get(call: Call) -> Response:
    """The bucket's own setting; the account's is not mixed in."""
    _no_access_point(call)
    return _answer(call.bucket.public_access_block)


def delete(call: Call) -> Response:
    """Switch it off for the bucket."""
    _no_access_point(call)
    if call.bucket.public_access_block:
        _set(call, False)
    return gone()


def _set_account(call: Call, blocks: bool) -> None:
    call.store.block_account(
        call.account_id,
        blocks,
        call.operation.name,
        request_id=call.request_id,
        access_key_id=call.caller.access_key_id,
    )


def put_account(call: Call) -> Response:
    """Switch it on or off for all of the account's buckets."""
    _set_account(call, _asked(call))
    return done()


def get_account(call: Call) -> Response:
    """The account's setting."""
    return _answer(call.account_id in call.store.blocked_accounts)


def delete_account(call: Call) -> Response:
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
