"""What SDK samples do with objects beside putting and getting them: tags, links, conditions, copies."""

from __future__ import annotations

import http.client
from email.utils import formatdate
from typing import Any

import oss2
import pytest

from emulator.oss import signature_v1
from tests.emulator.oss.running import Running
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def bucket(oss: Running) -> Any:
    """A new private bucket."""
    oss.create()
    return oss.bucket()


def _tagging(**tags: str) -> Any:
    rule = oss2.models.TaggingRule()
    for key, value in tags.items():
        rule.add(key, value)
    return oss2.models.Tagging(rule)


def test_tags(bucket: Any) -> None:
    """Tags are put with an object or later, counted in its headers, replaced and dropped."""
    bucket.put_object("k", b"x", headers={"x-oss-tagging": "team=a%20b&env="})
    assert bucket.get_object_tagging("k").tag_set.tagging_rule == {"team": "a b", "env": ""}
    assert bucket.head_object("k").headers["x-oss-tagging-count"] == "2"
    bucket.put_object_tagging("k", _tagging(team="组"))
    assert bucket.get_object_tagging("k").tag_set.tagging_rule == {"team": "组"}
    bucket.delete_object_tagging("k")
    assert bucket.get_object_tagging("k").tag_set.tagging_rule == {}
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.put_object_tagging("k", _tagging(**{f"k{number}": "v" for number in range(11)}))
    assert refused.value.code == "InvalidArgument"
    with pytest.raises(oss2.exceptions.ServerError, match="InvalidTag"):
        bucket.put_object_tagging("k", _tagging(**{"%@": "v"}))


def test_links(bucket: Any) -> None:
    """A link gives its target's content and says where it leads; a broken one says so."""
    bucket.put_object("dir/目标", b"content")
    bucket.put_symlink("dir/目标", "link", headers={"x-oss-meta-of": "link", "x-oss-tagging": "a=1"})
    assert bucket.head_object("link").headers["x-oss-meta-of"] == "link"
    assert bucket.get_object_tagging("link").tag_set.tagging_rule == {"a": "1"}
    assert bucket.get_symlink("link").target_key == "dir/目标"
    assert bucket.get_object("link").read() == b"content"
    bucket.delete_object("dir/目标")
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.get_object("link")
    assert refused.value.code == "SymlinkTargetNotExist"


def test_conditions(bucket: Any) -> None:
    """Conditional reads and copies are refused with the status that HTTP has for them."""
    etag = bucket.put_object("k", b"x").etag
    modified = bucket.head_object("k").headers["Last-Modified"]
    assert bucket.get_object("k", headers={"If-Match": f'"{etag}"', "If-Unmodified-Since": modified}).read() == b"x"
    for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
        with pytest.raises(oss2.exceptions.NotModified):
            bucket.get_object("k", headers=headers)
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        bucket.get_object("k", headers={"If-Match": "0" * 32})
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        bucket.copy_object("bucket-one", "k", "copy", headers={"x-oss-copy-source-if-match": "0" * 32})


def test_copy_replaces_description(bucket: Any) -> None:
    """A copy keeps the description unless told to replace it; onto itself it always takes the new one."""
    bucket.put_object("k", b"x", headers={"x-oss-meta-a": "1", "x-oss-tagging": "a=1"})
    bucket.put_object("a b", b"y")
    bucket.enable_crc = False  # the SDK would compare the checksum of its empty body
    bucket.put_object("plus", b"", headers={"x-oss-copy-source": "/bucket-one/a+b"})
    assert bucket.get_object("plus").read() == b"y"
    bucket.copy_object("bucket-one", "k", "kept")
    assert bucket.head_object("kept").headers["x-oss-meta-a"] == "1"
    assert bucket.get_object_tagging("kept").tag_set.tagging_rule == {"a": "1"}
    replacing = {"x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "2"}
    bucket.copy_object("bucket-one", "k", "new", headers=replacing)
    assert "x-oss-meta-a" not in bucket.head_object("new").headers
    bucket.update_object_meta("k", {"x-oss-meta-a": "3"})
    assert bucket.head_object("k").headers["x-oss-meta-a"] == "3"


def test_part_copied(bucket: Any) -> None:
    """A part of a multipart upload can be a range of another object."""
    bucket.put_object("source", b"0123456789")
    upload_id = bucket.init_multipart_upload("k").upload_id
    first = bucket.upload_part_copy("bucket-one", "source", (2, 4), "k", upload_id, 1)
    bucket.complete_multipart_upload("k", upload_id, [oss2.models.PartInfo(1, first.etag)])
    assert bucket.get_object("k").read() == b"234"


def test_object_meta_by_get(oss: Running, bucket: Any) -> None:
    """Older clients ask for an object's headers with GET; they read its size from Content-Length."""
    etag = bucket.put_object("k", b"x").etag
    bucket.put_bucket_acl("public-read")
    answer = oss.get("/bucket-one/k?objectMeta")
    assert (answer.status_code, answer.headers["ETag"], answer.headers["Content-Length"]) == (200, f'"{etag}"', "1")


@pytest.mark.usefixtures("bucket")
def test_bare_path_signed(oss: Running) -> None:
    """A bucket addressed without a final slash may be signed the same way; another secret still does not fit."""
    assert _bare(oss, oss.endpoints.access_key_secret) == 200
    assert _bare(oss, "another") == 403


def _bare(oss: Running, secret: str) -> int:
    date = formatdate(usegmt=True)
    text = signature_v1.string_to_sign("GET", {}, date, "/bucket-one?acl")
    signed = f"OSS {oss.endpoints.access_key_id}:{signature_v1.signature(secret, text)}"
    connection = http.client.HTTPConnection(oss.url.removeprefix("http://"), timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/bucket-one?acl", headers={"Date": date, "Authorization": signed})
        return connection.getresponse().status
    finally:
        connection.close()
