"""Makes remediations and reads their findings, for tests of plans."""

from __future__ import annotations

import json
from typing import Any

from consumer.remediations.base import Change, Compliant, Remediation
from consumer.remediations.catalogue import catalogue


def remediation(name: str, **options: Any) -> Remediation[Any]:
    """The remediation of that name, with these options."""
    kind = catalogue()[name]
    return kind(kind.Options.model_validate(options))


def planned(repair: Remediation[Any], state: Any) -> Any:
    """What the plan would reach, read from its text; None where nothing has to change."""
    finding = repair.plan(state)
    if isinstance(finding, Compliant):
        return None
    assert isinstance(finding, Change)
    assert finding.before != finding.after
    return json.loads(finding.after)
