"""A typed client of the control port, for tests, the demo and campaigns; it needs the standard library only.

Each method is one endpoint; what they mean is documented in docs/emulator.md.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from emulator.settings import Endpoints

JsonObject = dict[str, Any]

_TIMEOUT_SECONDS = 90.0
_PAGE = 5000
_FIXED = frozenset(
    {"sequence", "time_ms", "service", "operation", "resource", "changed", "request_id", "access_key_id"}
)


class ControlError(Exception):
    """The control port refused a request; the text says what to change."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One accepted request, or one change that the emulator made by itself."""

    sequence: int
    time_ms: int
    service: str
    operation: str
    resource: str
    changed: bool
    request_id: str
    access_key_id: str
    detail: JsonObject
    """Everything else, by operation: message ids, receipt handles, bodies, before and after."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One access key that may sign requests."""

    access_key_id: str
    access_key_secret: str
    account_id: str
    security_token: str | None
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """One resource under one rule."""

    resource_type: str
    resource_id: str
    rule_id: str
    identifier: str
    compliance: str


class Control:
    """Requests to one control port; one connection each, so it may be used from any thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        # An environment proxy must not come between a test and loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: JsonObject | None = None, **query: Any) -> JsonObject:
        """One request and its JSON answer.

        Raises:
            ControlError: the emulator refused it.
            OSError: no emulator answers there.
        """
        parameters = urlencode({name: value for name, value in query.items() if value is not None})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the URL is the emulator's own
            f"{self.url}{path}{'?' if parameters else ''}{parameters}", data, method=method
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                value: JsonObject = json.load(answer)
                return value
        except urllib.error.HTTPError as refused:
            with refused:
                text = refused.read().decode("utf-8", "replace")
            raise ControlError(refused.code, _problem(text)) from None


def _problem(text: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text


class FaultControl:
    """The faults of one emulator."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def add(self, kind: str, operation: str = "*", **fault: object) -> int:
        """Switch one on; further fields as in POST /faults. Returns its id."""
        body = {"kind": kind, "operation": operation, **fault}
        return int(self._control.call("POST", "/faults", body)["id"])

    def remove(self, fault_id: int) -> None:
        """Switch one off."""
        self._control.call("DELETE", f"/faults/{fault_id}")

    def clear(self) -> None:
        """Switch all off."""
        self._control.call("DELETE", "/faults")

    def struck(self) -> dict[int, int]:
        """How often each has struck, by id, those that are used up included."""
        return {int(key): count for key, count in self._control.call("GET", "/faults")["struck"].items()}

    def seed(self, seed: int) -> None:
        """Start the dice anew."""
        self._control.call("POST", "/faults/seed", {"seed": seed})


class ConfigControl:
    """The Cloud Config of one emulator."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def set_channel(self, **channel: object) -> None:
        """Change the delivery channel; fields as in PUT /config/channel."""
        self._control.call("PUT", "/config/channel", channel)

    def add_rule(self, identifier: str, **rule: object) -> str:
        """Configure a managed rule; returns its id."""
        body = {"identifier": identifier, **rule}
        return str(self._control.call("POST", "/config/rules", body)["rule_id"])

    def remove_rule(self, rule: str) -> None:
        """Forget a rule, by id or identifier."""
        self._control.call("DELETE", f"/config/rules/{quote(rule)}")

    def evaluate(self, **what: object) -> list[Judged]:
        """Judge now and report every non-compliance again; fields as in POST /config/evaluate."""
        return [Judged(**each) for each in self._control.call("POST", "/config/evaluate", what)["results"]]

    def compliance(self, **query: Any) -> list[Judged]:
        """What is compliant now; nothing is reported."""
        return [Judged(**each) for each in self._control.call("GET", "/config/compliance", **query)["results"]]

    def publish(self, **message: object) -> list[str]:
        """Publish messages on request, fields as in POST /config/publish; returns the message ids."""
        return list(self._control.call("POST", "/config/publish", message)["message_ids"])

    def publish_raw(self, body: str, **message: object) -> list[str]:
        """Publish a body exactly as it is; returns the message ids."""
        return list(self._control.call("POST", "/config/publish-raw", {"body": body, **message})["message_ids"])


class Emulator:
    """One running emulator: where it listens, who may sign, and everything its control port does."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self.mns = endpoints.mns
        self.oss = endpoints.oss
        self.ecs = endpoints.ecs
        self.control = Control(endpoints.control)
        self.faults = FaultControl(self.control)
        self.config = ConfigControl(self.control)

    def advance(self, seconds: float) -> None:
        """Move the emulated clock; negative moves it back."""
        self.control.call("POST", "/clock", {"advance_seconds": seconds})

    def reset(self, *parts: str) -> None:
        """Put the named parts (all without a name) back to how they were at the start."""
        self.control.call("POST", "/reset", {"parts": list(parts)} if parts else {})

    def state(self) -> JsonObject:
        """Queues, topics, buckets, security groups and rules as they are now."""
        return self.control.call("GET", "/state")

    def journal(self, after: int = 0, *, wait_seconds: float | None = None, **filters: Any) -> list[JournalEntry]:
        """All entries that follow `after` and fit the filters; waits for the first one with `wait_seconds`."""
        return list(self._journal_pages(after, wait_seconds, filters))

    def _journal_pages(self, after: int, wait_seconds: float | None, filters: dict[str, Any]) -> Iterator[JournalEntry]:
        while True:
            page = self.control.call("GET", "/journal", after=after, limit=_PAGE, wait_seconds=wait_seconds, **filters)
            yield from map(_entry, page["entries"])
            if len(page["entries"]) < _PAGE:
                return
            after, wait_seconds = page["next"], None

    def journal_reads(self, wanted: bool) -> None:
        """Whether accepted requests that change nothing are journaled too."""
        self.control.call("PUT", "/journal", {"reads": wanted})

    def clear_journal(self, through: int | None = None) -> None:
        """Forget entries (up to `through`), so that a long campaign keeps the emulator small."""
        self.control.call("DELETE", "/journal", through=through)

    def create_buckets(self, names: list[str] | None = None, *, count: int = 0, **settings: object) -> list[str]:
        """Create buckets, `names` or `count` of them; settings as in POST /buckets. Returns the names."""
        body = {"names": names or [], "count": count, **settings}
        return list(self.control.call("POST", "/buckets", body)["buckets"])

    def change_bucket(self, bucket: str, **settings: object) -> JsonObject:
        """Change a bucket by hand: unsigned, unchecked, journaled as `control`."""
        return self.control.call("PATCH", f"/buckets/{quote(bucket)}", settings)

    def delete_bucket(self, bucket: str) -> None:
        """Delete a bucket with everything in it."""
        self.control.call("DELETE", f"/buckets/{quote(bucket)}")

    def create_security_groups(self, ids: list[str] | None = None, *, count: int = 0, **settings: object) -> list[str]:
        """Create groups, `ids` or `count` of them; settings as in POST /security-groups. Returns the ids."""
        body = {"ids": ids or [], "count": count, **settings}
        return list(self.control.call("POST", "/security-groups", body)["security_groups"])

    def change_security_group(self, group_id: str, **settings: object) -> JsonObject:
        """Change a group by hand: unsigned, unchecked, journaled as `control`; `permissions` replaces all rules."""
        return self.control.call("PATCH", f"/security-groups/{quote(group_id)}", settings)

    def security_group(self, group_id: str) -> JsonObject:
        """One group with its rules."""
        return self.control.call("GET", f"/security-groups/{quote(group_id)}")

    def put_prefix_list(self, list_id: str, blocks: list[str], **settings: object) -> None:
        """Create a prefix list that rules may name, or replace what is in it."""
        self.control.call("PUT", f"/prefix-lists/{quote(list_id)}", {"blocks": blocks, **settings})

    def delete_security_group(self, group_id: str) -> None:
        """Delete a group with its rules."""
        self.control.call("DELETE", f"/security-groups/{quote(group_id)}")

    def acls(self) -> dict[str, str]:
        """Every existing bucket with its ACL."""
        return dict(self.control.call("GET", "/buckets")["buckets"])

    def compliance(self, **query: Any) -> list[Judged]:
        """What is compliant now, by resource and rule."""
        return self.config.compliance(**query)

    def non_compliant(self) -> list[str]:
        """The resources that break any configured rule now, by id."""
        return list(dict.fromkeys(each.resource_id for each in self.compliance(compliance="NON_COMPLIANT")))

    def add_identity(self, **identity: object) -> Identity:
        """Make an access key known; fields as in POST /identities."""
        return Identity(**self.control.call("POST", "/identities", identity))

    def remove_identity(self, access_key_id: str) -> None:
        """Forget an access key."""
        self.control.call("DELETE", f"/identities/{quote(access_key_id)}")

    @property
    def credentials_url(self) -> str:
        """A credentials URI that hands out new temporary credentials at every request."""
        return f"{self.control.url}/credentials"

    def set_options(self, **options: object) -> None:
        """How the services behave where the real ones differ by account, age or region; as in PUT /options."""
        self.control.call("PUT", "/options", options)

    def set_dead_letter_policy(self, queue: str, target_queue: str, max_receive_count: int) -> None:
        """Let MNS itself move messages away after so many receives."""
        body = {"target_queue": target_queue, "max_receive_count": max_receive_count}
        self.control.call("PUT", f"/queues/{quote(queue)}/dead-letter-policy", body)

    def clear_dead_letter_policy(self, queue: str) -> None:
        """Let MNS leave messages where they are."""
        self.control.call("DELETE", f"/queues/{quote(queue)}/dead-letter-policy")

    def set_consumption_throttle(self, max_undeleted: int, window_seconds: float) -> None:
        """Throttle clients that receive without deleting."""
        body = {"max_undeleted": max_undeleted, "window_seconds": window_seconds}
        self.control.call("PUT", "/consumption-throttle", body)

    def clear_consumption_throttle(self) -> None:
        """Throttle nobody."""
        self.control.call("DELETE", "/consumption-throttle")

    def set_long_poll_cap(self, polls: int | None) -> None:
        """Hold at most so many long polls; None holds as many as come."""
        self.control.call("PUT", "/long-poll-cap", {"polls": polls})

    def set_queue_figures(self, figures: str) -> None:
        """What queues say of the number of their messages: `counted`, `zero` or `absent`."""
        self.control.call("PUT", "/queue-figures", {"figures": figures})


def _entry(value: JsonObject) -> JournalEntry:
    fixed = {name: value[name] for name in _FIXED}
    return JournalEntry(**fixed, detail={name: found for name, found in value.items() if name not in _FIXED})
