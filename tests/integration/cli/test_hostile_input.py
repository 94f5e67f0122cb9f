"""Nothing that came from outside stops an operator's command, or controls whoever reads what it shows."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from consumer.journal.format import ChainHead, sealed
from emulator.client import Emulator
from tests.integration.cli.conftest import Cli, Result
from tests.unit.bodies import CURRENT, QUALIFIER, base64_of, changed, text_of

CONTROLS = "\x1b[2J\x07\x9b31m\x7f\u202e\u2066\u200b\u2028\r\n\x00"
EVENT = "evaluationResultIdentifier.orderingTimestamp"

BODIES = {
    "a number of 400 digits": text_of(changed(CURRENT, EVENT, int("9" * 400))),
    "a number of 5,000 digits": text_of(CURRENT).replace("1630907917476", "9" * 5_000),
    "no number": text_of(CURRENT).replace("1630907917476", "NaN"),
    "a lone surrogate": json.dumps(changed(CURRENT, f"{QUALIFIER}.configRuleName", "a\ud800b")),
    "a lone surrogate in an id": json.dumps(changed(CURRENT, f"{QUALIFIER}.resourceId", "a\ud800b")),
    "controls in a name": json.dumps(changed(CURRENT, f"{QUALIFIER}.configRuleName", CONTROLS)),
    "controls in an id": json.dumps(changed(CURRENT, f"{QUALIFIER}.resourceId", CONTROLS)),
    "controls in a kind": json.dumps({"eventType": CONTROLS}),
    "controls in a region": json.dumps(changed(CURRENT, f"{QUALIFIER}.regionId", CONTROLS)),
    "a kind that is long": json.dumps({"eventType": "x" * 60_000}),
    "depth": "[" * 30_000,
    "depth in an event": '{"a":' * 10_000,
    "base64 of controls": base64_of(CONTROLS),
    "a dead letter": json.dumps({"schema": "config-remediator/dead-letter/1", "body": 7, "body_encoding": "plain"}),
    "half an envelope": "<Notification><Message>\u202e",
}


def harmless(result: Result, *statuses: int) -> None:
    """No traceback, a status that is meant, and nothing that a terminal would obey."""
    assert result.status in statuses, result
    shown = result.out + result.err
    assert all(line.isprintable() for line in shown.split("\n")), shown


@pytest.mark.parametrize("form", ["table", "json"])
def test_bodies_can_be_peeked_at(cli: Cli, channel: Emulator, form: str) -> None:
    """As they lie in the queue, one worse than the other."""
    channel.config.set_channel(non_compliance=False)
    for body in BODIES.values():
        channel.config.publish_raw(body)
    result = cli.run("peek", "--output", form)
    harmless(result, 0)
    if form == "json":
        assert len(result.document) == len(BODIES)


@pytest.mark.parametrize("form", ["table", "json"])
def test_bodies_can_be_simulated(cli: Cli, channel: Emulator, tmp_path: Path, form: str) -> None:
    """As files, and as lines of one; a file's name is from outside, too."""
    assert channel
    lines = tmp_path / "events.jsonl"
    lines.write_text("\n".join(json.dumps({"body": body}) for body in BODIES.values()))
    odd = tmp_path / "a\u202eb\x1b.json"
    odd.write_bytes(b"\xff\xfe{")
    harmless(cli.run("simulate", str(lines), str(odd), "--output", form), 0)


UNDONE = {
    "no region": {"region": "evil.example/"},
    "half a surrogate in a region": {"region": "a\ud800"},
    "a long region": {"region": "x" * 300},
    "no bucket name": {"resource": CONTROLS},
    "a deep state": {"before": "[" * 50_000},
    "a deep policy": {"remediation": "oss.bucket-policy-public", "before": "[" * 50_000, "after": "null"},
    "another version's encryption": {"remediation": "oss.encryption", "before": '{"x":1}', "after": "null"},
    "no truth value": {"remediation": "oss.block-public-access", "before": CONTROLS, "after": "false"},
}


@pytest.mark.parametrize("entry", UNDONE.values(), ids=UNDONE)
def test_a_change_that_cannot_have_been_is_not_undone(
    cli: Cli, channel: Emulator, tmp_path: Path, entry: dict[str, str]
) -> None:
    """Also where the chain is whole: another version may have written it, or somebody who can write files."""
    channel.create_buckets(["photos"])
    before = channel.control.call("GET", "/buckets/photos")
    path = tmp_path / "journal.jsonl"
    cli.configure(more=f'\n[journal]\npath = "{path}"\n')
    change = {"resource": "photos", "account": channel.endpoints.account_id, "region": channel.endpoints.region}
    change |= {"rule": "public-read", "remediation": "oss.bucket-acl", "before": "public-read", "after": "private"}
    line, head = sealed(ChainHead(), {"at_ms": 1 << 42, "step": "verified", "outcome": "fixed", **change, **entry})
    path.write_bytes(line)
    harmless(cli.run("undo", head.digest[:12], "--yes", "--weaken"), 2, 3, 4)
    assert channel.control.call("GET", "/buckets/photos") == before


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_journal_with_whatever_in_it_is_shown_and_verified(cli: Cli, tmp_path: Path, form: str) -> None:
    """Names of buckets, details of errors, states: they came from messages and services."""
    path, head, written = tmp_path / "journal.jsonl", ChainHead(), b""
    hostile = {
        "resource": CONTROLS,
        "outcome": CONTROLS,
        "detail": "a\ud800b",
        "before": CONTROLS,
        "after": 10**400,
        "at_ms": 10**400,
    }
    for step in ("received", "decided", "verified", "settled", "gap", CONTROLS):
        line, head = sealed(head, {"step": step, "message_id": CONTROLS, "who": CONTROLS, **hostile})
        written += line
    path.write_bytes(written + b'{"v":2,"seq":1e999}\n' + b"\xff\x9b\n" + b"[" * 50_000 + b"\n")
    harmless(cli.run("journal", "show", "--file", str(path), "--all", "--output", form), 0)
    harmless(cli.run("journal", "verify", "--file", str(path), "--output", form), 1)
    harmless(cli.run("undo", CONTROLS.replace("\x00", ""), "--yes"), 2)


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_a_journal_with_whatever_in_it_is_reported(cli: Cli, tmp_path: Path, form: str) -> None:
    """Within the period, and with times that no clock shows."""
    path, head, written = tmp_path / "journal.jsonl", ChainHead(), b""
    hostile = {"resource": CONTROLS, "rule": CONTROLS, "account": 10**400, "detail": "a\ud800b", "before": CONTROLS}
    for number, step in enumerate(("before", "decided", "verified", "settled", "gap", "undone", "continued", CONTROLS)):
        for at_ms in (1_700_000_000_000 + number, 10**400, -(10**400), "soon", None, True, [1]):
            for outcome in ("fixed", "held", "exempt", CONTROLS, 7):
                fields = {"lost_lines": 10**400, "since_ms": CONTROLS, "evaluated_at_ms": -(10**400), **hostile}
                line, head = sealed(head, {"step": step, "at_ms": at_ms, "outcome": outcome, **fields})
                written += line
    path.write_bytes(written + b"[" * 50_000 + b"\n")
    period = ("--since", "2023-11-01", "--until", "2023-12-01")
    harmless(cli.run("report", "--file", str(path), *period, "--format", form), 1)


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_journal_with_whatever_in_it_is_explained(cli: Cli, channel: Emulator, tmp_path: Path, form: str) -> None:
    """By a resource whose lines are hostile in everything else, with a look at the live one."""
    path, head, written = tmp_path / "journal.jsonl", ChainHead(), b""
    channel.create_buckets(["photos"], acl="public-read")
    for step in ("received", "before", "decided", "settled", "undone", CONTROLS):
        for value in (CONTROLS, 10**400, "a\ud800b", None, [CONTROLS], {"a": CONTROLS}):
            names = (
                "outcome",
                "reason",
                "detail",
                "before",
                "after",
                "dequeue_count",
                "at_ms",
                "who",
                "rule",
                "region",
            )
            more = ("hidden_seconds", "request_ids", "evaluated_at_ms", "config_rule_id", "resource_type", "copy_of")
            fields = {**dict.fromkeys((*names, *more), value), "resource": "photos", "message_id": "m" * 32}
            line, head = sealed(head, {**fields, "account": channel.endpoints.account_id, "step": step})
            written += line
    path.write_bytes(written)
    harmless(cli.run("explain", "photos", "--file", str(path), "--output", form), 0, 1)
    harmless(cli.run("explain", "\x1b[2J\u202e" * 4, "--file", str(path), "--output", form), 2)


METRICS = """\
remediator_build_info{version="\u202e\x9b31m"} 1
remediator_worker_slots NaN
remediator_messages_received_total +Inf
remediator_messages_settled_total{disposition="a\u2028b"} 1e300
remediator_messages_in_flight{state="\x1b[2J"} NaN
remediator_outcomes_total{rule="\x7f",outcome="\u200b"} +Inf
remediator_outcomes_total{rule="without an outcome"} 1
remediator_api_requests_total{service="x"} 3
remediator_lease_renewals_total{result="\u2066"} NaN
remediator_oldest_open_exposure_timestamp_seconds{rule="\u202e"} -Inf
remediator_oldest_open_exposure_timestamp_seconds{rule="b"} NaN
remediator_rule_mode{rule="\x07"} NaN
"""


@pytest.fixture
def impostor() -> Iterator[str]:
    """Something that answers in a worker's place."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = METRICS.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_details: object) -> None:
            """Not of interest."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("form", ["table", "json"])
def test_metrics_with_whatever_in_them_are_shown(cli: Cli, impostor: str, form: str) -> None:
    """Figures that are none, and labels that are missing or meant for a terminal."""
    harmless(cli.run("watch", "--url", impostor, "--once", "--output", form), 0)


@pytest.mark.parametrize("form", ["table", "json"])
def test_an_answer_of_a_service_is_shown_without_its_controls(cli: Cli, channel: Emulator, form: str) -> None:
    """The code of a refusal comes from whoever answered."""
    channel.faults.add("error", "GetQueueAttributes", service="mns", status=400, code="Odd\u202eCode\u0085")
    harmless(cli.run("check", "--output", form), 1)
