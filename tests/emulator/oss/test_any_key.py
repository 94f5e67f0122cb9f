"""Objects whose keys hold what XML forbids, and the answers about parts, copies and pages that others know.

"Python" and "Go" are the integration tests of the vendor's version 2 SDKs; a page of an EC is
https://www.alibabacloud.com/help/en/oss/user-guide/ followed by the EC.
"""

from __future__ import annotations

import base64
import hashlib
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import unquote

import oss2
import pytest

from tests.emulator.oss.running import Running

KEY = "a\x01\x0c\r\nb/日志"


@pytest.fixture
def bucket(oss: Running) -> Any:
    """A new private bucket."""
    oss.create()
    return oss.bucket()


def _text(bucket: Any, method: str, key: str = "", body: bytes = b"", **params: str) -> str:
    named = {name.replace("_", "-"): value for name, value in params.items()}
    return str(bucket._do(method, "bucket-one", key, params=named, data=body).read().decode())


def _names(text: str, tag: str) -> list[str]:
    return [unquote(found.text or "") for found in ET.fromstring(text).iter(tag)]  # noqa: S314 - the emulator's own


def test_every_list_stays_readable(bucket: Any) -> None:
    """Without an encoding a forbidden character is replaced, with `encoding-type=url` it comes back."""
    bucket.put_object(KEY, b"x")
    upload = bucket.init_multipart_upload(KEY).upload_id
    for params in ({}, {"list-type": "2"}, {"versions": ""}, {"uploads": ""}):
        for asked in ({}, {"encoding-type": "url"}):
            text = bucket._do("GET", "bucket-one", "", params={**params, **asked}).read().decode()
            assert _names(text, "Key") == [KEY if asked else KEY.replace("\x01", "\ufffd").replace("\x0c", "\ufffd")]
            assert ("<EncodingType>url</EncodingType>" in text) is bool(asked)
    assert _names(_text(bucket, "GET", KEY, uploadId=upload, encoding_type="url"), "Key") == [KEY]
    begun = _text(bucket, "POST", KEY, uploads="", encoding_type="url")
    assert _names(begun, "Key") == [KEY]


@pytest.mark.parametrize("written", ["&#1;", "&#01;", "\x0c", "&#12;"])
def test_deletion_takes_forbidden_characters(bucket: Any, written: str) -> None:
    """As the service does, raw and as a reference, in keys only where they stand."""
    key = "a" + ("\x01" if "1;" in written else "\x0c") + " "
    bucket.put_object(key, b"x")
    body = f"<Delete><Quiet>false</Quiet><Object><Key>a{written} </Key></Object></Delete>".encode()
    text = _text(bucket, "POST", "", body, delete="", encoding_type="url")
    assert _names(text, "Key") == [key]
    assert list(bucket.list_objects_v2().object_list) == []


def test_a_quiet_deletion_answers_nothing(bucket: Any) -> None:
    """An empty body rather than an empty document."""
    body = b"<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object></Delete>"
    assert _text(bucket, "POST", "", body, delete="") == ""


def test_objects_carry_their_digest(bucket: Any) -> None:
    """GET and HEAD of an object that was put whole have Content-MD5; one made of parts has none."""
    bucket.put_object("k", b"12345")
    digest = base64.b64encode(hashlib.md5(b"12345", usedforsecurity=False).digest()).decode()
    assert bucket.get_object("k").headers["Content-MD5"] == digest
    assert bucket.head_object("k").headers["Content-MD5"] == digest
    bucket.append_object("log", 0, b"1")
    assert "Content-MD5" not in bucket.head_object("log").headers


def test_a_copy_says_how_much(bucket: Any) -> None:
    """ETag before LastModified, and the size in a header (Elixir client's recorded answers)."""
    bucket.put_object("k", b"12345")
    for call in (
        lambda: bucket.copy_object("bucket-one", "k", "l"),
        lambda: bucket.upload_part_copy("bucket-one", "k", None, "m", bucket.init_multipart_upload("m").upload_id, 1),
    ):
        copied = call()
        assert copied.headers["x-oss-copied-size"] == "5"
    text = bucket._do("PUT", "bucket-one", "l", headers={"x-oss-copy-source": "/bucket-one/k"}).read().decode()
    assert text.index("<ETag>") < text.index("<LastModified>")


def test_versions_by_page(bucket: Any) -> None:
    """max-keys (100 without, as Python's test_bucket_versions expects), key-marker and delimiter."""
    for key in ("a/1", "a/2", "b", "c"):
        bucket.put_object(key, b"x")
    first = bucket.list_object_versions(delimiter="/", max_keys=2)
    assert ([found.key for found in first.versions], first.common_prefix) == (["b"], ["a/"])
    assert (first.is_truncated, first.next_key_marker) == (True, "b")
    second = bucket.list_object_versions(delimiter="/", key_marker=first.next_key_marker)
    assert ([found.key for found in second.versions], second.is_truncated) == (["c"], False)
    assert "<MaxKeys>100</MaxKeys>" in _text(bucket, "GET", versions="")


def test_uploads_by_page_and_prefix(bucket: Any) -> None:
    """Keys below a common prefix stand once on one page of several, uploads of one key in the order of their ids.

    oss2 2.19.1: tests of MultipartUploadIterator.
    """
    ids = sorted(bucket.init_multipart_upload("p/k").upload_id for _ in range(5))
    for key in ("p/a/1", "p/a/2", "p/z/1", "q"):
        bucket.init_multipart_upload(key)
    listed = list(oss2.MultipartUploadIterator(bucket, prefix="p/", delimiter="/", max_uploads=2))
    assert [found.key for found in listed] == ["p/a/", *["p/k"] * 5, "p/z/"]
    assert [found.upload_id for found in listed if not found.is_prefix()] == ids


def test_an_upload_that_is_not_there(bucket: Any) -> None:
    """Go: TestAbortMultipartUpload and its neighbours (0042); the page of 0017-00000244 for a part."""
    for call, ec in (
        (lambda: bucket.abort_multipart_upload("k", "none"), "0042-00000002"),
        (lambda: bucket.list_parts("k", "none"), "0042-00000002"),
        (lambda: bucket.complete_multipart_upload("k", "none", []), "0042-00000002"),
        (lambda: bucket.upload_part("k", "none", 1, b"x"), "0017-00000244"),
    ):
        with pytest.raises(oss2.exceptions.NoSuchUpload) as refused:
            call()
        assert (refused.value.status, refused.value.ec, refused.value.details["UploadId"]) == (404, ec, "none")


def test_parts_that_do_not_fit(bucket: Any) -> None:
    """Pages of 0017-00000220 and 0042-00000209; the help page about InvalidPart has its message."""
    upload = bucket.init_multipart_upload("k").upload_id
    etags = [bucket.upload_part("k", upload, number, b"x").etag for number in (1, 2)]
    with pytest.raises(oss2.exceptions.InvalidArgument) as refused:
        bucket.upload_part("k", upload, 10001, b"x")
    assert (refused.value.ec, refused.value.details["ArgumentName"]) == ("0017-00000220", "PartNumber")
    for parts, code, ec in (
        ([(2, etags[1]), (1, etags[0])], "InvalidPartOrder", "0042-00000209"),
        ([(1, "0" * 32)], "InvalidPart", ""),
        ([(3, etags[0])], "InvalidPart", ""),
    ):
        listed = "".join(f'<Part><PartNumber>{n}</PartNumber><ETag>"{etag}"</ETag></Part>' for n, etag in parts)
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            _text(
                bucket,
                "POST",
                "k",
                f"<C>{listed}</C>".replace("C>", "CompleteMultipartUpload>").encode(),
                uploadId=upload,
            )
        assert (refused.value.code, refused.value.ec) == (code, ec)
        if code == "InvalidPart":
            details = refused.value.details
            assert (details["PartNumber"], details["UploadId"]) == (str(parts[0][0]), upload)
            assert details["ETag"] == f'"{parts[0][1]}"'
