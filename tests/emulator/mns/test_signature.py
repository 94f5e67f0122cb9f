"""Both signature versions against the vectors that the official Java SDK publishes in its own tests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from emulator.mns.signature import canonical_request, sign_v2, sign_v4

V2_TEXT = "PUT\n\ntext/xml;charset=UTF-8\nTue, 03 Jun 2025 11:23:48 GMT\nx-mns-version:2015-06-06\n/queues/TestQueue"


@pytest.mark.parametrize(
    ("secret", "text", "signature"),
    [
        ("accessKeySecret111", V2_TEXT, "HCSlBi5KuXGNf06tZKFiQlNDt4c="),
        ("skkkkkkk1111111111", V2_TEXT, "KvUgeFIzq+V37Fw7Nb8BKQEncZU="),
        ("accessKeySecret111", "contentToSign111 Hello world", "ZX9CiXzbkdkW2bW1Lw3G3JvnD90="),
    ],
)
def test_v2_vectors(secret: str, text: str, signature: str) -> None:
    """V2 is HMAC-SHA1 of the string to sign, in base64."""
    assert sign_v2(secret, text) == signature


QUERY = "param1=abc&PARAM2=d%20%20ef&PARAM3=%5Bdef%5D%23bbb&PARAM4=%E4%B8%AD%E6%96%87%E5%8F%82%E6%95%B0"


@pytest.mark.parametrize(
    ("secret", "moment", "region", "method", "path", "query", "headers", "signature"),
    [
        (
            "sk1",
            datetime(2025, 6, 3, 10, 52, 35, tzinfo=UTC),
            "region1",
            "POST",
            "/queues/TestQueue/",
            QUERY,
            {},
            "1fc6013f158d4c3aba09570895a2a93c8445c2c5213d82a1463baf602cf0d945",
        ),
        (
            "sk1",
            datetime(2025, 6, 3, 10, 52, 35, tzinfo=UTC),
            "region1",
            "POST",
            "/queues/TestQueue",
            f"num=10&paramx=100&{QUERY}",
            {},
            "8d555514e749185d3e6d68df416692e6cc960ba85a089c9d69a2f4d7bb607560",
        ),
        (
            "skkkkkkk1111111111",
            datetime(2025, 12, 3, 11, 23, 48, tzinfo=UTC),
            "region2",
            "PUT",
            "/queues/TestQueue123456",
            "",
            {"x-mns-abc": "kkk", "x-mns-sss": "2015-06-06xFFF", "x-kkk-def": "lll"},
            "04f1e5f929b5aaac3af6a54970f591581ecd2aade2562f926c5f2ec5d5c8cfad",
        ),
        (
            "skkkkkk2222222222",
            datetime(2025, 12, 4, 6, 32, 35, tzinfo=UTC),
            "eu-west-1",
            "GET",
            "/queues",
            "",
            {
                "x-mns-version": "2015-06-30",
                "x-mns-ttt": "1",
                "x-mns-uuuuu": "FALse",
                "bb-mns-uuuuu": "abcdddDDD",
                "content-type": "application/json",
                "content-md5": "0d9d2ce750000593eb34f00",
            },
            "294f776a2d5726df679b54b081ab8126a199a2545c8c8a7a875adff0b386e458",
        ),
        (
            "testSk",
            datetime(2025, 6, 3, 10, 52, 35, tzinfo=UTC),
            "testRegion",
            "GET",
            "/",
            "",
            {},
            "63f78964dcd1132bab91b9c38ceebdfb59509149b34874c5b2c9dfc2b12e7291",
        ),
        (
            "testSk",
            datetime(2025, 6, 3, 10, 52, 35, tzinfo=UTC),
            "testRegion",
            "POST",
            "/queues/Test%20Queue@123",
            "",
            {},
            "87de7499365a31e767cdc0c726a893c72c860e415876f7f92914197ac3795833",
        ),
    ],
)
def test_v4_vectors(
    secret: str,
    moment: datetime,
    region: str,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    signature: str,
) -> None:
    """V4 signs the canonical request with a key derived from date and region."""
    assert sign_v4(secret, moment, region, canonical_request(method, path, query, headers)) == signature
