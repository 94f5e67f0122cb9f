"""Objects, as far as a logging target and the SDK's samples need them."""

from __future__ import annotations

from typing import Any

import oss2
import pytest

from tests.emulator.oss.running import Running


@pytest.fixture
def bucket(oss: Running) -> Any:
    """A new private bucket."""
    oss.create()
    return oss.bucket()


def test_round_trip(bucket: Any) -> None:
    """Content, type, metadata and checksum come back; a range is cut out."""
    bucket.put_object("k", b"0123456789", headers={"x-oss-meta-team": "a", "Content-Type": "text/x"})
    head = bucket.head_object("k")
    assert (head.content_length, head.content_type, head.headers["x-oss-meta-team"]) == (10, "text/x", "a")
    assert bucket.get_object("k").read() == b"0123456789"
    assert bucket.get_object("k", byte_range=(2, 4)).read() == b"234"
    assert bucket.get_object("k", byte_range=(None, 3)).read() == b"789"
    bucket.copy_object("bucket-one", "k", "copy")
    assert bucket.get_object("copy").read() == b"0123456789"


def test_delete(bucket: Any) -> None:
    """Deleting is quiet about what is not there, one by one and by list."""
    for key in ("a", "b c", "中"):
        bucket.put_object(key, b"")
    bucket.delete_object("a")
    bucket.delete_object("a")
    assert bucket.batch_delete_objects(["b c", "中"]).deleted_keys == ["b c", "中"]
    assert not bucket.object_exists("中")


@pytest.mark.parametrize("listing", ["list_objects", "list_objects_v2"])
def test_listing(bucket: Any, listing: str) -> None:
    """Both listings know prefixes, folders and pages."""
    for key in ("a/1", "a/2", "b", "c/1"):
        bucket.put_object(key, b"")
    page = getattr(bucket, listing)(delimiter="/", max_keys=2)
    assert ([found.key for found in page.object_list], page.prefix_list) == (["b"], ["a/"])
    assert page.is_truncated
    after = (
        {"marker": page.next_marker}
        if listing == "list_objects"
        else {"continuation_token": page.next_continuation_token}
    )
    rest = getattr(bucket, listing)(delimiter="/", **after)
    assert (rest.object_list, rest.prefix_list, rest.is_truncated) == ([], ["c/"], False)
    assert [found.key for found in getattr(bucket, listing)(prefix="a/").object_list] == ["a/1", "a/2"]


def test_names(bucket: Any) -> None:
    """A name with reserved characters is copied like any other; one that no object can have is refused."""
    bucket.put_object("a?b=c+d:/e", b"x")
    bucket.copy_object("bucket-one", "a?b=c+d:/e", "copy")
    assert bucket.get_object("copy").read() == b"x"
    for name in ("\\k", "k" * 1024):
        with pytest.raises(oss2.exceptions.InvalidObjectName):
            bucket.put_object(name, b"")


def test_plus_in_a_path(oss: Running, bucket: Any) -> None:
    """A bare plus sign in a path is a space, as the service has it; an encoded one is a plus sign."""
    bucket.put_object("a b", b"space")
    bucket.put_object("a+b", b"plus")
    bucket.put_bucket_acl("public-read")
    assert oss.get("/bucket-one/a+b").content == b"space"
    assert oss.get("/bucket-one/a%2Bb").content == b"plus"


def test_multipart(bucket: Any) -> None:
    """Parts are put together in order; an abandoned upload keeps its bucket from being deleted."""
    upload_id = bucket.init_multipart_upload("k").upload_id
    parts = [
        oss2.models.PartInfo(number, bucket.upload_part("k", upload_id, number, data).etag)
        for number, data in ((1, b"abc"), (2, b"def"))
    ]
    assert [part.part_number for part in bucket.list_parts("k", upload_id).parts] == [1, 2]
    with pytest.raises(oss2.exceptions.ServerError, match="InvalidPart"):
        bucket.complete_multipart_upload("k", upload_id, [oss2.models.PartInfo(1, "0" * 32)])
    bucket.complete_multipart_upload("k", upload_id, parts)
    assert bucket.get_object("k").read() == b"abcdef"
    bucket.delete_object("k")
    abandoned = bucket.init_multipart_upload("k").upload_id
    with pytest.raises(oss2.exceptions.BucketNotEmpty):
        bucket.delete_bucket()
    bucket.abort_multipart_upload("k", abandoned)
    bucket.delete_bucket()


def test_append(bucket: Any) -> None:
    """Appending goes on where the object ends and nowhere else."""
    assert bucket.append_object("k", 0, b"abc").next_position == 3
    with pytest.raises(oss2.exceptions.PositionNotEqualToLength) as refused:
        bucket.append_object("k", 1, b"x")
    assert refused.value.next_position == 3
    bucket.append_object("k", 3, b"def")
    assert bucket.get_object("k").read() == b"abcdef"


def test_object_acl(oss: Running, bucket: Any) -> None:
    """An object's own ACL outweighs the bucket's."""
    bucket.put_object("k", b"x")
    assert bucket.get_object_acl("k").acl == "default"
    bucket.put_object_acl("k", "public-read")
    assert oss.get("/bucket-one/k").content == b"x"
    assert oss.get("/bucket-one/").status_code == 403


def test_objects_are_journaled(oss: Running, bucket: Any) -> None:
    """Writing objects is written down with key and size."""
    bucket.put_object("k", b"xyz")
    entry = oss.journal()[-1]
    assert (entry.operation, entry.detail) == ("PutObject", {"key": "k", "bytes": 3})
