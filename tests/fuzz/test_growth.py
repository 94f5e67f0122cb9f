"""What the parsers of outside bytes cost: it grows as the input does, whatever the input is.

A pattern that goes back over what it has read takes quadratic time, and holds the interpreter and with it every lease.
Growth is measured, not time: the same repeated input eight times as long may cost eight times as much of the thread's
own processor time, three times over for noise and caches. Quadratic is 64 times. The least of some runs counts.
"""

from __future__ import annotations

import contextlib
import gc
import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from consumer.aliyun.http import Reply
from consumer.aliyun.mns import messages, replies
from consumer.aliyun.oss.endpoints import region_of
from consumer.aliyun.reply import Headers, ReplyReader
from consumer.core.event import decode
from consumer.core.printable import printable
from consumer.journal import format as journal
from consumer.operator.dlq.letters import read as read_letter
from consumer.resources.oss.policy import admits_everyone
from consumer.resources.oss.policy_edits import denies_plain_http
from consumer.resources.oss.xml_documents import rooted
from consumer.telemetry.http_messages import RequestReader
from consumer.telemetry.log import _printable
from consumer.telemetry.redaction import Redactor

SHORT_BYTES = 12_000
FACTOR = 8
NOISE = 3
RUNS = 3
ROUNDS = 4
"""A machine that does other things may spoil one measurement, not as many as this."""

Reads = Callable[[bytes], object]


def _reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status, Headers({"x-mns-request-id": "ID", "date": body[:4_096].decode("latin-1")}), body, True)


def _http_reply(data: bytes) -> object:
    pieces = iter([data[start : start + 4_096] for start in range(0, len(data), 4_096)])
    return ReplyReader("GET").read(lambda: next(pieces, b""))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _denying(resource: str) -> str:
    """A policy whose one statement denies plain HTTP on a resource."""
    condition = {"Bool": {"acs:SecureTransport": ["false"]}}
    statement = {
        "Effect": "Deny",
        "Action": ["oss:*"],
        "Principal": ["*"],
        "Resource": [resource],
        "Condition": condition,
    }
    return json.dumps({"Version": "1", "Statement": [statement]})


_XML = (b"<Message>", b"</Message>", b"<Message><MessageId>", b"<Error>", b"</Error>", b"<a>", b"</a>", b"<a b=''>")
_XML += (b"<", b"&", b"&#", b"&amp;", b"<!--", b"<![CDATA[", b"]]>", b"<?x", b"?>", b" ", b"\n", b"x", b"\x01", b"\xff")
_JSON = (b"{", b'{"a":', b"[", b'"', b'"a",', b"1", b"-", b"1e", b"\\u0000", b"\\", b"\xe2\x80\xae", b" ", b"x")
_BASE64 = (b"QUJD", b"=", b"\n", b" ", b"e30=")
_HTTP = (b"A: b\r\n", b"\r\n", b"A", b": ", b"0\r\n", b"1\r\nx\r\n", b"1;", b" ", b"\n", b"HTTP/1.1 100 \r\n\r\n")
_SECRETS = (
    b"password",
    b"password=",
    b"password'",
    b"token ",
    b"signature]",
    b"OSS ",
    b"acs a",
    b"=",
    b"'",
    b" ",
    b"A",
)
_POLICY = (b'{"Effect":"Allow","Principal":["*"]},', b'"*",', b'"acs:oss:*:*:*",', b'"10.0.0.0/8",', b"*")

TARGETS: dict[str, tuple[Reads, tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]] = {
    # what reads; what it may begin with; what is repeated; what it may end with
    "a batch": (lambda data: messages.received(_reply(data)), (b"", b"<Messages>"), _XML, (b"", b"</Messages>")),
    "a damaged batch": (
        lambda data: messages.rescued(_reply(data), 16),
        (b"", b"<Message>", b"<Message><MessageBody>"),
        _XML,
        (b"", b"</MessageBody></Message>", b"</Message>"),
    ),
    "a peek": (lambda data: messages.peeked_apart(_reply(data)), (b"", b"<Message>"), _XML, (b"", b"</Message>")),
    "failed deletes": (
        lambda data: replies.failed_deletes(_reply(data, 404)),
        (b"<Errors>", b"<Errors><Error>"),
        _XML,
        (b"</Errors>", b"</Error></Errors>"),
    ),
    "attributes": (lambda data: replies.queue_attributes(_reply(data)), (b"", b"<Queue>"), _XML, (b"", b"</Queue>")),
    "a reply": (
        _http_reply,
        (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        _HTTP,
        (b"", b"\r\n\r\n"),
    ),
    "a request": (lambda data: RequestReader().feed(data), (b"", b"GET / HTTP/1.1\r\n"), _HTTP, (b"", b"\r\n\r\n")),
    "repeated headers": (
        lambda data: Headers.of([(b"a", b"x" * 40)] * (len(data) // 40)),
        (b"",),
        (b"a",),
        (b"",),
    ),
    "a document": (
        lambda data: rooted(data, "Tagging"),
        (b"", b"<?xml ", b"<Tagging"),
        (*_XML, b"?"),
        (b"", b"?>", b">"),
    ),
    "a host": (lambda data: region_of(_text(data)), (b"", b"oss-"), (b"a", b"-", b"a-", b".", b" "), (b"", b"!")),
    "a body of JSON": (lambda data: decode(_text(data)), (b"{", b'{"a":', b'{"a":"'), _JSON, (b"", b"}", b'"}')),
    "a body of XML": (
        lambda data: decode(_text(data)),
        (b"<Notification><Message>", b"<"),
        _XML,
        (b"", b"</Message></Notification>"),
    ),
    "a body of base64": (lambda data: decode(_text(data)), (b"",), _BASE64, (b"", b"=", b"!")),
    "a dead letter": (lambda data: read_letter("m", _text(data), 0), (b"{", b'{"a":"'), _JSON, (b"", b'"}')),
    "a line of the journal": (journal.parsed, (b"", b"{", b'{"a":"'), _JSON, (b"", b'"}')),
    "a bucket's policy": (
        lambda data: admits_everyone(_text(data)),
        (b"{", b'{"Statement":[', b'{"Statement":[{"Effect":"Allow","Principal":['),
        (*_JSON, *_POLICY),
        (b"", b"]}", b"]}]}"),
    ),
    "what a policy denies": (
        lambda data: denies_plain_http(_denying(_text(data)), "bucket", "1698272328540001"),
        (b"", b"acs:oss:*:*:bucket", b"acs:oss:*:*:bucket/"),
        (b"*", b"?", b"a", b"*a", b"/*", b"[", b"*?"),
        (b"", b"/", b"b"),
    ),
    "a text for a terminal": (lambda data: printable(_text(data)), (b"",), (b"x", b"\x1b", b"\xff"), (b"",)),
    "a text for the log": (
        lambda data: Redactor().clean_fields({"text": _text(data)}),
        (b"", b"Authorization", b"password"),
        _SECRETS,
        (b"", b":", b"=x"),
    ),
    "a line of the log": (lambda data: Redactor().harmless(_text(data)), (b"",), _SECRETS, (b"",)),
    "a field for a terminal": (
        lambda data: _printable(None, "", {"text": _text(data)}),
        (b"",),
        (b"x", b"\x1b", b"\xe2\x80\xae"),
        (b"",),
    ),
}


def _quietly(reads: Reads, data: bytes) -> None:
    with contextlib.suppress(Exception):  # what it says of the input is the other tests' concern
        reads(data)


def _cost(reads: Reads, data: bytes) -> float:
    def once() -> float:
        began = time.thread_time()
        _quietly(reads, data)
        return time.thread_time() - began

    gc.disable()  # what other tests have left alive is walked over the more often, the longer the input is
    try:
        return min(once() for _ in range(RUNS))
    finally:
        gc.enable()


def _growth(reads: Reads, before: bytes, pump: bytes, after: bytes, short_bytes: int) -> float:
    """How many times as much the long input costs as the short one."""
    short, long = (before + pump * (size // len(pump)) + after for size in (short_bytes, short_bytes * FACTOR))
    return _cost(reads, long) / max(_cost(reads, short), 20e-6)


def _inputs() -> Iterator[tuple[str, Reads, bytes, bytes, bytes]]:
    for name, (reads, before, pumps, after) in TARGETS.items():
        for start, pump, end in product(before, pumps, after):
            yield name, reads, start, pump, end


def is_linear(reads: Reads, before: bytes, pump: bytes, after: bytes, short_bytes: int = SHORT_BYTES) -> bool:
    """Whether the cost grows as the input does, in one of some rounds."""
    return any(_growth(reads, before, pump, after, short_bytes) <= FACTOR * NOISE for _ in range(ROUNDS))


@pytest.mark.parametrize("name", TARGETS)
def test_the_cost_of_every_parser_grows_as_its_input(name: str) -> None:
    """For every beginning, every repeated part and every end."""
    superlinear = [
        (start, pump, end)
        for target, reads, start, pump, end in _inputs()
        if target == name and not is_linear(reads, start, pump, end)
    ]
    assert superlinear == []


def test_a_quadratic_parser_is_noticed() -> None:
    """The pattern that once rescued a damaged batch."""
    pattern = re.compile(rb"<Message>.*?</Message>", re.DOTALL)
    assert not is_linear(pattern.findall, b"", b"<Message>", b"", SHORT_BYTES // 4)


@pytest.mark.parametrize("digits", [1_000, 4_000, 50_000])
def test_the_digits_of_a_number_are_bounded(digits: int) -> None:
    """Python takes quadratic time for a number of very many digits, and refuses beyond some thousands."""
    body = json.dumps({"a": 1}).replace("1", "9" * digits)
    assert is_linear(lambda data: decode(_text(data)), body.encode(), b" ", b"")
