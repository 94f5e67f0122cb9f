"""Reading HTTP replies: every framing a server may use, in whatever pieces it arrives, and nothing it may not send."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from http.client import IncompleteRead
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.aliyun.reply import LARGEST_HEAD_BYTES, Headers, ReplyReader, UnexpectedReply

WHOLE = b"HTTP/1.1 200 OK\r\nX-Request-Id: ID\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"
OK = b"HTTP/1.1 200 OK\r\n"
OF_CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def reader(*pieces: bytes, method: str = "GET") -> ReplyReader:
    """A reader that has read these pieces, and then the end of the connection."""
    arriving = iter(pieces)
    found = ReplyReader(method)
    found.read(lambda: next(arriving, b""))
    return found


def read(*pieces: bytes, method: str = "GET") -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection may be used again."""
    found = reader(*pieces, method=method)
    return found.status, found.body, found.reusable


@pytest.mark.parametrize(("reply", "reusable"), [(WHOLE, True), (CHUNKED, True), (UNTIL_CLOSE, False)])
@given(cuts=st.lists(st.integers(1, 100), max_size=6))
def test_the_pieces_in_which_a_reply_arrives_do_not_matter(reply: bytes, reusable: bool, cuts: list[int]) -> None:
    """However the network cuts it, the same body comes out."""

    def pieces() -> Iterator[bytes]:
        edges = [0, *sorted(min(cut, len(reply)) for cut in cuts), len(reply)]
        for start, end in pairwise(edges):
            if start < end:
                yield reply[start:end]

    assert read(*pieces()) == (200, b"hello", reusable)


@pytest.mark.parametrize("reply", [WHOLE, CHUNKED])
def test_a_reply_that_ends_early_is_never_taken_for_a_whole_one(reply: bytes) -> None:
    """Wherever the connection breaks, that is an error; only in the head may the request be sent again unasked."""
    end_of_head = reply.index(b"\r\n\r\n") + 4
    for cut in range(len(reply)):
        with pytest.raises(ConnectionResetError if cut < end_of_head else IncompleteRead):
            read(reply[:cut])


def test_a_reply_that_is_cut_still_has_its_head() -> None:
    """The service's request id is what its support asks for."""
    arriving = iter([WHOLE[:-1]])
    found = ReplyReader("GET")
    with pytest.raises(IncompleteRead):
        found.read(lambda: next(arriving, b""))
    assert (found.status, found.headers["x-request-id"], found.reusable) == (200, "ID", True)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_a_reply_without_a_body_waits_for_none(status: bytes) -> None:
    """Its length, if it has one, is another reply's (RFC 9112, 6.3)."""
    assert read(b"HTTP/1.1 " + status + b"\r\nContent-Length: 7\r\n\r\n")[1:] == (b"", True)


@pytest.mark.parametrize("sent", [b"", b"1234567"], ids=["as it should be", "with a body all the same"])
def test_the_reply_to_head_has_no_body(sent: bytes) -> None:
    """Nor is its connection used again: whether something follows, nobody can tell."""
    assert read(OK + b"Content-Length: 7\r\n\r\n" + sent, method="HEAD") == (200, b"", False)


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"])
def test_interim_heads_are_passed_over(interim: bytes) -> None:
    """100 Continue is no answer, in the same piece or in another."""
    assert read(interim * 2 + WHOLE) == read(interim, interim, WHOLE) == (200, b"hello", True)
    assert "link" not in reader(interim + WHOLE).headers


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive", True),
        (b"HTTP/1.1 200 OK", True),
        (b"HTTP/1.1 200", True),
        (b"HTTP/1.0 200 OK", False),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive", True),
    ],
)
def test_the_head_tells_whether_the_connection_stays(head: bytes, reusable: bool) -> None:
    """1.1 keeps it unless told, 1.0 only when told."""
    assert read(head + b"\r\nContent-Length: 0\r\n\r\n") == (200, b"", reusable)


@pytest.mark.parametrize("second", [OK + b"\r\n", OK[:9], b"x", WHOLE])
@pytest.mark.parametrize(
    "reply", [WHOLE, CHUNKED, b"HTTP/1.1 204 No\r\n\r\n", OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n"]
)
def test_of_two_replies_to_one_request_none_is_believed(reply: bytes, second: bytes) -> None:
    """One of them is the answer to something else, and nothing says which."""
    with pytest.raises(UnexpectedReply):
        read(reply + second)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        OK + b"A: b\nContent-Length: 5\r\n\r\nhello",
        OK + b"A: b\rContent-Length: 5\r\n\r\nhello",
        OK + b"A: b\0c\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"A: b\x01c\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"no colon\r\n\r\n",
        OK + b": nameless\r\n\r\n",
        OK + b"A: b\r\n folded\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Name : space\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: 5, 5\r\n\r\nhello",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Length: +5\r\n\r\nhello",
        OK + b"Content-Length: 0x5\r\n\r\nhello",
        OK + b"Content-Length: 99999999999999999999\r\n\r\nhello",
        OK + b"Content-Length:\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\nhello",
        OK + b"Transfer-Encoding:\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OF_CHUNKS + b"size\r\n\r\n",
        OF_CHUNKS + b"-1\r\n\r\n",
        OF_CHUNKS + b"5 \r\nhello\r\n0\r\n\r\n",
        OF_CHUNKS + b"5\nhello\r\n0\r\n\r\n",
        OF_CHUNKS + b"2\r\nhello\r\n0\r\n\r\n",
        OF_CHUNKS + b"fffffffffffffffff\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n",
        b"nonsense",
        b"RTSP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"\r\n\r\n" + WHOLE,
        b"\x16\x03\x01",
    ],
)
def test_what_no_service_sends_is_refused(reply: bytes) -> None:
    """A malformed head or framing is neither guessed at nor waited for."""
    with pytest.raises(UnexpectedReply):
        read(reply, b"x" * 20)  # what comes later, a reader that waits would take for the rest


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (OK, b"A: b\r\n"),
        (OK + b"A: ", b"b"),
        (b"HTTP/1.1 200 ", b"b"),
        (b"H" + OK[1:], b"A: b\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OF_CHUNKS + b"1\r\nx\r\n0\r\n", b"A: b\r\n"),
        (OF_CHUNKS + b"1;", b"b"),
    ],
    ids=["headers", "one header", "reason", "headers again", "interim heads", "trailers", "an extension of a chunk"],
)
@pytest.mark.parametrize("size", [1_000, 65_536])
def test_whatever_brings_no_body_is_bounded(start: bytes, more: bytes, size: int) -> None:
    """Nothing but a body may go on and on; that is bounded elsewhere."""
    pieces, read_bytes = iter([start] if start else []), 0
    piece = more * (size // len(more))

    def receive() -> bytes:
        nonlocal read_bytes
        data = next(pieces, piece)
        read_bytes += len(data)
        return data

    with pytest.raises(UnexpectedReply, match="too long"):
        ReplyReader("GET").read(receive)
    assert read_bytes <= 2 * LARGEST_HEAD_BYTES + size


def test_headers_are_found_in_any_case_and_repeated_ones_are_one_list() -> None:
    """The SDKs ask in whatever case they like, and tell a missing header from an empty one."""
    sent = OK + b"X-Oss-Request-Id:  ID \r\nVia: a\r\nvia: b\r\nEmpty:\r\nContent-Length: 0\r\n\r\n"
    headers = reader(sent).headers
    assert (headers["x-OSS-request-ID"], headers["Via"], headers["empty"]) == ("ID", "a, b", "")
    assert "VIA" in headers
    assert headers.get("missing") is None
    assert sorted(headers) == ["content-length", "empty", "via", "x-oss-request-id"]
    assert Headers() == {}


def test_reading_leaves_no_cycle_behind() -> None:
    """Thousands of replies a second must not drive the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        for reply in (WHOLE, CHUNKED, WHOLE + b"x"):
            with suppress(UnexpectedReply):
                read(reply)
        assert gc.collect() == 0
    finally:
        gc.enable()
