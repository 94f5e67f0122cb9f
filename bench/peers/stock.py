"""`python -m bench.peers.stock SETTINGS`: the prescribed SDKs, used well.

Batches of 16 both ways, a connection to the queue per thread, one shared `oss2.Session`, a pool of threads.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mns.account import Account
from mns.mns_exception import MNSServerException

from bench.names import ACCESS_KEY_ID, ACCESS_KEY_SECRET, QUEUE
from bench.peers.pool import BATCH, Task, serve
from bench.peers.stock_oss import StockOss
from bench.settings import Settings

_WAIT_SECONDS = 30


class StockQueue:
    """One connection of the MNS SDK."""

    def __init__(self, settings: Settings) -> None:
        account = Account(settings.mns_endpoint, ACCESS_KEY_ID, ACCESS_KEY_SECRET)
        self._queue = account.get_queue(QUEUE)
        self._queue.set_encoding(False)

    def receive(self) -> Sequence[Task]:
        """Up to a batch, none when the queue stays empty."""
        try:
            batch = self._queue.batch_receive_message(BATCH, _WAIT_SECONDS)
        except MNSServerException as error:
            if error.type != "MessageNotExist":
                raise
            return []
        return [Task(message.receipt_handle, message.message_body) for message in batch]

    def delete(self, handles: Sequence[str]) -> None:
        """Delete a batch."""
        self._queue.batch_delete_message(list(handles))


def main() -> None:
    """Serve until killed."""
    settings = Settings.load(sys.argv[1])
    serve(settings.workers, lambda: StockQueue(settings), StockOss(settings).repair)


if __name__ == "__main__":
    main()
