"""Reading HTTP replies: every framing a server may use, in whatever pieces it arrives, and nothing it may not send."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import IncompleteRead
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.aliyun.reply import LARGEST_HEAD_BYTES, Headers, ReplyReader, UnexpectedReply, parse_head

WHOLE = b"HTTP/1.1 200 OK\r\nX-Request-Id: ID\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"


def reading(*pieces: bytes) -> ReplyReader:
    """A reader to which these pieces arrive, and then the end of the connection."""
    arriving = iter(pieces)
    return ReplyReader(lambda: next(arriving, b""))


def read(*pieces: bytes, method: str = "GET") -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection may be used again."""
    reader = reading(*pieces)
    head = reader.head()
    return head.status, *reader.body(head, method)


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


@pytest.mark.parametrize(
    ("status", "method"), [(b"204 No Content", "DELETE"), (b"304 Not Modified", "GET"), (b"200 OK", "HEAD")]
)
def test_a_reply_without_a_body_waits_for_none(status: bytes, method: str) -> None:
    """Its length, if it tells one, is another reply's."""
    assert read(b"HTTP/1.1 " + status + b"\r\nContent-Length: 7\r\n\r\n", method=method)[1:] == (b"", True)


def test_interim_heads_are_passed_over() -> None:
    """100 Continue is no answer."""
    assert read(b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + WHOLE) == (200, b"hello", True)


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


@pytest.mark.parametrize(
    "reply",
    [
        WHOLE + b"HTTP/1.1 200 OK\r\n\r\n",
        CHUNKED + b"x",
        CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n", 1),
    ],
    ids=["another reply", "a byte", "two lengths"],
)
def test_a_connection_with_more_on_it_than_the_reply_is_not_used_again(reply: bytes) -> None:
    """What follows would be taken for the answer to the next request."""
    assert read(reply) == (200, b"hello", False)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nName : space\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsize\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (LARGEST_HEAD_BYTES // 5),
    ],
)
def test_what_no_service_sends_is_refused(reply: bytes) -> None:
    """A malformed head or framing is neither guessed at nor waited for."""
    with pytest.raises(UnexpectedReply):
        read(reply)


@pytest.mark.parametrize(
    "head", [b"", b"nonsense", b"HTTP/2 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 099 No", b"\x16\x03\x01"]
)
def test_what_is_not_http_is_a_broken_connection(head: bytes) -> None:
    """Nothing was answered, as far as anybody can tell."""
    with pytest.raises(ConnectionResetError):
        parse_head(head)


def test_headers_are_found_in_any_case_and_repeated_ones_are_one_list() -> None:
    """The SDKs ask in whatever case they like, and tell a missing header from an empty one."""
    headers = parse_head(b"HTTP/1.1 200 OK\r\nX-Oss-Request-Id:  ID \r\nVia: a\r\nvia: b\r\nEmpty:").headers
    assert (headers["x-OSS-request-ID"], headers["Via"], headers["empty"]) == ("ID", "a, b", "")
    assert "VIA" in headers
    assert headers.get("missing") is None
    assert sorted(headers) == ["empty", "via", "x-oss-request-id"]
    assert Headers() == {}


def test_bare_line_feeds_are_line_ends() -> None:
    """As the standard lets a recipient read them."""
    assert read(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello") == (200, b"hello", True)
