"""`python -m bench.peers.documented SETTINGS`: the documented recipe as a plain loop.

Receive one message, make a Bucket, put the ACL, delete the message. One thread, no read-back, no safety. It is given
one thing that the recipe leaves out: it does not base64-decode bodies that are not base64.
"""

from __future__ import annotations

import sys

import oss2
from mns.account import Account
from mns.mns_exception import MNSServerException

from bench.names import ACCESS_KEY_ID, ACCESS_KEY_SECRET, QUEUE
from bench.peers.stock_oss import bucket_of, repair
from bench.settings import Settings

_WAIT_SECONDS = 30


def main() -> None:
    """Serve until killed."""
    settings = Settings.load(sys.argv[1])
    queue = Account(settings.mns_endpoint, ACCESS_KEY_ID, ACCESS_KEY_SECRET).get_queue(QUEUE)
    queue.set_encoding(False)
    auth = oss2.Auth(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    while True:
        try:
            message = queue.receive_message(_WAIT_SECONDS)
        except MNSServerException as error:
            if error.type != "MessageNotExist":
                raise
            continue
        repair(oss2.Bucket(auth, settings.oss_endpoint, bucket_of(message.message_body)), settings.calls)
        queue.delete_message(message.receipt_handle)


if __name__ == "__main__":
    main()
