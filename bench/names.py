"""Names that the server, the clients and the events have to agree on."""

DOMAIN = "oss-bench.test"
"""Every bucket is a host of its own below it; `bench.launch` makes these names lead to this machine."""

REGION = "cn-hangzhou"
ACCOUNT_ID = "1234567890123456"
QUEUE = "config-events"
DEAD_LETTERS = "config-events-dead"
RULE_ID = "cr-bench00000000000001"

ACCESS_KEY_ID = "LTAI5tBenchmarkAccessKey"
ACCESS_KEY_SECRET = "secret-of-the-benchmark"  # noqa: S105 - the canned server verifies no signature
