"""What bodies are accepted at all: XML, policies, checksums."""

from __future__ import annotations

import json
from typing import Any

import oss2
import oss2.http
import pytest
import requests

from emulator.oss.call import Level, Operation
from emulator.oss.crc64 import crc64
from emulator.oss.document import parse, render
from emulator.oss.errors import OssRefusal
from emulator.oss.policy_document import check
from emulator.oss.routes import ROUTES
from tests.emulator.oss.running import Running
from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<A>",
        b"<B/>",
        b"<A></B>",
        b"not xml",
        b'<!DOCTYPE A [<!ENTITY x "y">]><A>&x;</A>',
        b"<!DOCTYPE A SYSTEM 'file:///etc/passwd'><A/>",
        b"<A>" + b"<x>" * 40 + b"</x>" * 40 + b"</A>",
        b'<?xml version="1.0" encoding="no-such"?><A/>',
        b"<A>\xff</A>",
    ],
)
def test_bad_xml(body: bytes) -> None:
    """Anything but a well-formed, entity-free document with the right root is MalformedXML."""
    with pytest.raises(OssRefusal, match="MalformedXML"):
        parse(body, "A")


def test_xml_round_trip() -> None:
    """What was put comes back as it was, indented by two, escaped where needed."""
    root = parse(b"<A xmlns='http://doc.oss-cn-hangzhou.aliyuncs.com'><B>x &amp; <![CDATA[<y>]]></B><C/></A>", "A")
    assert root.value("B") == "x & <y>"
    assert root.value("C") == ""
    assert root.value("D") is None
    assert render("A", [child.node() for child in root.children]).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<A>\n  <B>x &amp; &lt;y&gt;</B>\n  <C></C>\n</A>\n'
    )


_STATEMENT = {"Effect": "Allow", "Principal": ["*"], "Action": "oss:GetObject", "Resource": ["acs:oss:*:1:b/*"]}


@pytest.mark.parametrize(
    ("document", "ec"),
    [
        ({}, "0030-00000005"),
        ([], "0030-00000005"),
        ({"Version": 1, "Statement": [_STATEMENT]}, "0030-00000005"),
        ({"Version": "2", "Statement": [_STATEMENT]}, "0030-00000002"),
        ({"Version": "1", "Statement": []}, "0030-00000005"),
        ({"Version": "1", "Statement": ["x"]}, "0030-00000005"),
        ({"Version": "1", "Statement": [_STATEMENT | {"Effect": "Maybe"}]}, "0030-00000005"),
        ({"Version": "1", "Statement": [_STATEMENT | {"Action": []}]}, "0030-00000005"),
        ({"Version": "1", "Statement": [_STATEMENT | {"NotAction": "x"}]}, "0030-00000005"),
        ({"Version": "1", "Statement": [_STATEMENT | {"Resource": "arn:aws:s3:::b"}]}, "0030-00000005"),
        ({"Version": "1", "Statement": [_STATEMENT | {"Condition": "x"}]}, "0030-00000005"),
    ],
)
def test_bad_policy(document: Any, ec: str) -> None:
    """A policy that is not of the form is refused with the reason's own EC."""
    with pytest.raises(OssRefusal, match="InvalidPolicyDocument") as refused:
        check(json.dumps(document).encode())
    assert refused.value.ec == ec


@pytest.mark.parametrize("body", [b"", b"{" * 5000, b"\xff", b"x" * 20_000])
def test_no_policy(body: bytes) -> None:
    """Nothing, nonsense, other encodings and too much are refused too."""
    with pytest.raises(OssRefusal, match="InvalidPolicyDocument"):
        check(body)


def test_good_policy() -> None:
    """A policy is kept as the text it came as; a statement may leave the principal out."""
    statement = {name: value for name, value in _STATEMENT.items() if name != "Principal"}
    text = json.dumps({"Version": "1", "Statement": [_STATEMENT, statement]}, indent=3)
    assert check(text.encode()) == text


def test_crc64() -> None:
    """The published check value of CRC-64/XZ, which is what the header carries."""
    assert crc64(b"123456789") == 0x995DC9BBDF1939FA
    assert crc64(b"") == 0


_WITH_BODY = [found for found in ROUTES.values() if found.level is Level.BUCKET and found.method in ("PUT", "POST")]


@pytest.mark.parametrize("operation", _WITH_BODY, ids=lambda found: found.name)
@pytest.mark.parametrize("body", [b"\x00\xff", b"<A/>", b"<!DOCTYPE A [<!ENTITY x 'y'>]><A>&x;</A>"])
def test_garbage_everywhere(oss: Running, operation: Operation, body: bytes) -> None:
    """No operation that takes a body is harmed by one that makes no sense."""
    oss.create()
    request = oss2.http.Request(
        operation.method,
        f"{oss.url}/bucket-one/",
        params={operation.subresource: ""} if operation.subresource else {},
        region="cn-hangzhou",
        product="oss",
    )
    oss.auth()._sign_request(request, "bucket-one", "")
    headers = {name: value for name, value in request.headers.items() if value is not None}
    answered = requests.request(
        request.method, request.url, params=request.params, headers=headers, data=body, timeout=PATIENCE_SECONDS
    )
    assert answered.status_code == 400
    assert any(code in answered.text for code in ("MalformedXML", "InvalidArgument", "InvalidPolicyDocument"))
