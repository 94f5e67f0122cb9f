"""What the OSS session puts on the wire, and which request it refuses to write."""

from __future__ import annotations

import pytest

from consumer.aliyun.oss.session import request_bytes


def test_a_request_is_written_as_http_wants_it() -> None:
    """One head, one empty line, and the body that was announced."""
    assert request_bytes("PUT", "/?policy", {"Host": "b.oss.example", "Date": "now"}, b"{}") == (
        b"PUT /?policy HTTP/1.1\r\nHost: b.oss.example\r\nDate: now\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize(("method", "length"), [("PUT", b"0"), ("POST", b"0"), ("GET", None), ("DELETE", None)])
def test_a_method_that_may_carry_a_body_announces_an_empty_one(method: str, length: bytes | None) -> None:
    """Otherwise a server would wait for it, or refuse the request."""
    head = request_bytes(method, "/", {"Host": "h"}, None)
    assert (b"Content-Length: 0\r\n" in head) is (length is not None)
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("value", ["a\r\nX-Oss-Acl: public-read", "a\nb", "a\rb", "a\x00b"])
def test_nothing_can_end_a_line_of_the_head(value: str) -> None:
    """A header's value, or a target, can never become another header."""
    with pytest.raises(ValueError, match="end its line"):
        request_bytes("GET", "/", {"Host": "h", "x-oss-security-token": value}, None)
    with pytest.raises(ValueError, match="end its line"):
        request_bytes("GET", f"/{value}", {"Host": "h"}, None)


def test_only_latin_1_fits_into_a_head() -> None:
    """As HTTP has it; everything else has to be encoded before."""
    with pytest.raises(ValueError, match="latin-1"):
        request_bytes("GET", "/", {"Host": "h", "x": "\u4e2d"}, None)
