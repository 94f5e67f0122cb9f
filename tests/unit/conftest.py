"""How property tests run: the same examples on every run in CI, and never judged by a clock."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("unit", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.register_profile(
    "unit-slow-machine", parent=settings.get_profile("unit"), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit-slow-machine")  # the machine is shared: slow generation says nothing about the code
