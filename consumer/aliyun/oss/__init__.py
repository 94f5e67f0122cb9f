"""OSS: opening buckets, sessions, signatures, settings and documents."""

from consumer.aliyun.postponed import postponed

# What oss2 imports for encrypting objects before an upload, which nothing here ever does: the client of the key
# management service with `cryptography`, and two kinds of cipher. And its own transport, in whose place
# `consumer.aliyun.oss.session` sends.
with postponed(
    "aliyunsdkcore.client",
    "aliyunsdkkms.request.v20160120.DecryptRequest",
    "aliyunsdkkms.request.v20160120.EncryptRequest",
    "aliyunsdkkms.request.v20160120.GenerateDataKeyRequest",
    "charset_normalizer",
    "Crypto.Cipher.AES",
    "Crypto.Cipher.PKCS1_OAEP",
    "Crypto.Cipher.PKCS1_v1_5",
    "Crypto.PublicKey.RSA",
    "requests",
):
    import oss2  # noqa: F401
