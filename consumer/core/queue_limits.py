"""Limits of the queue service that pure code needs to know.

https://www.alibabacloud.com/help/en/mns/product-overview/limits
"""

MAX_BATCH = 16
"""Messages in one receive, receipt handles in one delete."""

MAX_VISIBILITY_SECONDS = 43_200

MAX_DELAY_SECONDS = 604_800
"""Between the sending of a message and its first visibility."""

SHORTEST_RETENTION_SECONDS = 60
"""Of a message, whatever its queue is set to."""

MAX_MESSAGE_BYTES = 65_536

MAX_WAIT_SECONDS = 30
