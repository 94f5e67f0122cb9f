"""The worker's configuration for a measurement: as an operator would write it, guards included but out of reach.

The rule stands here and nowhere else.
"""

from __future__ import annotations

from bench.names import ACCOUNT_ID, DEAD_LETTERS, QUEUE, REGION, RULE_ID
from bench.settings import Settings

# The peers look, change and read back; the look for other public paths is one request more, and is in the rows
# of the worker as shipped.
_RULE = """
[[rules]]
name = "public-read"
remediation = "oss.bucket-acl"
mode = "enforce"
config_rule_ids = ["{rule_id}"]
options = {{ other_paths = {other_paths} }}
"""

_REST = """
# The benchmark changes more in a minute than anybody would allow in an hour.
[limits]
max_changes = 1000000

[http]
port = 0

[log]
format = "json"
"""


def configuration(settings: Settings, journal: str) -> str:
    """The worker's whole configuration; `journal` is a path, or empty."""
    engine = [f"lease_seconds = {settings.lease_seconds}"]
    if not settings.shipped:
        engine.append(f"workers = {settings.workers}")
    if settings.slots:
        engine.append(f"slots = {settings.slots}")
    return f"""\
account_id = "{ACCOUNT_ID}"

[queue]
region = "{REGION}"
name = "{QUEUE}"
dead_letter_queue = "{DEAD_LETTERS}"
endpoint = "{settings.mns_endpoint}"

[oss.endpoints]
"*" = "{settings.oss_endpoint}"

[engine]
{chr(10).join(engine)}

[journal]
path = "{journal}"
{_REST}{_RULE.format(rule_id=RULE_ID, other_paths=str(settings.shipped).lower())}"""
