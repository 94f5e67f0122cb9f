"""What evaluating one resource against one rule ends in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum


class Compliance(StrEnum):
    """The compliance types that these rules can end in."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    NOT_APPLICABLE = "NOT_APPLICABLE"


@dataclass(frozen=True, slots=True)
class Annotation:
    """Why a resource is non-compliant: what was found where, and what was wanted instead."""

    configuration: str
    desired_value: str
    operator: str
    property: str
    """JSON path into the resource's snapshot."""

    def as_object(self) -> dict[str, str]:
        """The annotation in the service's own key names."""
        return {
            "configuration": self.configuration,
            "desiredValue": self.desired_value,
            "operator": self.operator,
            "property": self.property,
        }

    def as_text(self) -> str:
        """The annotation as most events carry it: a string that holds JSON without spaces."""
        return json.dumps(self.as_object(), separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One evaluation's end; the annotation is there exactly when it is non-compliant."""

    compliance: Compliance
    annotation: Annotation | None = None

    @classmethod
    def unless(cls, violated: bool, annotation: Annotation) -> Verdict:
        """Non-compliant with this annotation if `violated`, else compliant."""
        return cls(Compliance.NON_COMPLIANT, annotation) if violated else cls(Compliance.COMPLIANT)


NOT_APPLICABLE = Verdict(Compliance.NOT_APPLICABLE)
