"""What every measured program is told: the same file for all of them, so that all do the same work."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

THREE_CALLS = ("GetBucketInfo", "PutBucketAcl", "GetBucketInfo")
"""Look, change, read back: what repairing one bucket takes at least."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the services are, and how much is done at once."""

    mns_endpoint: str
    oss_endpoint: str
    workers: int
    """Messages in work at once, in threads or processes."""
    calls: tuple[str, ...] = THREE_CALLS
    """OSS requests per message, in order."""
    redis_url: str = ""
    lease_seconds: int = 60
    journal: bool = False
    """Whether the worker keeps its journal, which it does not by default; the others have none."""
    shipped: bool = False
    """Whether the worker takes its own default number of workers, and looks for other public paths as it does then."""
    slots: int = 0
    """Of the worker; 0 takes its own default."""

    def save(self, path: Path) -> None:
        """Write it where `load` finds it."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: str) -> Settings:
        """Read what `save` wrote."""
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(**{**found, "calls": tuple(found["calls"])})
