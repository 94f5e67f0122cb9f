"""Request bodies of the control port, typed and bounded; what does not fit is refused with the field's name."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request

from emulator.faults import CONFIG_FAULTS, Kind
from emulator.mns.attributes import Figures

Model = TypeVar("Model", bound="Body")


class Refused(Exception):
    """The control request cannot be carried out; the text tells the caller what to change."""

    def __init__(self, problem: str, status: int = 400, fields: list[dict[str, str]] | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = status
        self.fields = fields or []


class Body(BaseModel):
    """A JSON object without unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def read(request: Request, model: type[Model]) -> Model:
    """The request's JSON body as a model; an absent body is an empty object.

    Raises:
        Refused: not JSON, or a field is unknown, missing or out of range.
    """
    raw = await request.body()
    try:
        value = json.loads(raw) if raw else {}
    except ValueError as error:
        raise Refused(f"the body is not JSON: {error}") from None
    return validated(value, model)


def validated(value: Any, model: type[Model]) -> Model:
    """Any value as a model.

    Raises:
        Refused: with one entry per field that does not fit.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        fields = [
            {"field": ".".join(map(str, problem["loc"])) or "(body)", "problem": problem["msg"]}
            for problem in error.errors()
        ]
        listed = "; ".join(f"{each['field']}: {each['problem']}" for each in fields)
        known = ", ".join(model.model_fields)
        raise Refused(f"{listed} (fields: {known})", fields=fields) from None


class FaultBody(Body):
    """POST /faults."""

    service: Literal["mns", "oss", "ecs", "config", "*"] = "*"
    operation: str = Field("*", min_length=1)
    kind: Kind
    probability: float = Field(1.0, gt=0, le=1)
    count: int | None = Field(None, ge=1)
    skip: int = Field(0, ge=0)
    lasts_seconds: float | None = Field(None, gt=0)
    resource: str = Field("*", min_length=1)
    status: int = Field(500, ge=300, le=599)
    code: str = Field("InternalError", min_length=1)
    message: str = "Injected fault."
    seconds: float = Field(0.0, ge=0)
    location: str = "http://127.0.0.1:9/"

    @model_validator(mode="after")
    def _can_happen(self) -> FaultBody:
        if self.service == "config" and self.kind not in CONFIG_FAULTS:
            possible = ", ".join(sorted(CONFIG_FAULTS))
            raise ValueError(f"Cloud Config can meet {possible}, and not {self.kind}")
        return self


class SeedBody(Body):
    """POST /faults/seed."""

    seed: int


class ClockBody(Body):
    """POST /clock."""

    advance_seconds: float = Field(ge=-10 * 365 * 86400, le=10 * 365 * 86400)


class JournalBody(Body):
    """PUT /journal."""

    reads: bool


class JournalQuery(Body):
    """GET /journal: the query."""

    after: int = Field(0, ge=0)
    limit: int = Field(1000, ge=1, le=10_000)
    wait_seconds: float = Field(0.0, ge=0, le=60)
    service: str | None = None
    operation: str | None = None
    resource: str | None = None
    changed: bool | None = None


class OptionsBody(Body):
    """PUT /options: what is left out stays as it is."""

    block_public_access_by_default: bool = False
    oss_limit_buckets: bool = False
    oss_redundancy_transition_seconds: float = Field(3600.0, ge=0)
    oss_source_ip_refusal: Literal[400, 403] | None = None
    config_calls_per_second: int | None = Field(None, ge=0)
    ecs_calls_per_second: int | None = Field(None, ge=0)


Part = Literal["mns", "oss", "ecs", "config", "faults", "journal", "clock", "identities", "options"]


class ResetBody(Body):
    """POST /reset."""

    parts: list[Part] = list(get_args(Part))


class IdentityBody(Body):
    """POST /identities."""

    access_key_id: str | None = Field(None, min_length=1)
    access_key_secret: str | None = Field(None, min_length=1)
    account_id: str | None = Field(None, min_length=1)
    security_token: str | None = None
    temporary: bool = False
    lifetime_seconds: float | None = Field(None, description="Emulated seconds from now; negative is already over.")


class DeadLetterBody(Body):
    """PUT /queues/{queue}/dead-letter-policy."""

    target_queue: str = Field(min_length=1)
    max_receive_count: int = Field(ge=1, le=1000)


class ThrottleBody(Body):
    """PUT /consumption-throttle."""

    max_undeleted: int = Field(5000, ge=1)
    window_seconds: float = Field(1800, gt=0)


class QueueFiguresBody(Body):
    """PUT /queue-figures."""

    figures: Figures


class LongPollCapBody(Body):
    """PUT /long-poll-cap."""

    polls: Annotated[int, Field(ge=0)] | None
