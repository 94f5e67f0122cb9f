"""Which TLS versions a bucket accepts.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckethttpsconfig . The cipher suites of the same
document are kept as they are and checked by nobody here.
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.bucket import HttpsConfig
from emulator.oss.call import Level, Operation, OssCall, answer, done
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.subresources.booleans import flag, shown
from emulator.xml import Node

_VERSIONS = frozenset({"TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"})


def put(call: OssCall) -> Response:
    """Replace the configuration; switched on it needs at least one version."""
    body = call.body("HttpsConfiguration")
    tls, suite = body.find("TLS"), body.find("CipherSuite")
    if tls is None:
        raise OssRefusal(Oss.MALFORMED)
    enabled = flag(tls, "Enable")
    versions = tuple(dict.fromkeys(version.text.strip() for version in tls.all("TLSVersion")))
    if not _VERSIONS.issuperset(versions) or (enabled and not versions):
        raise OssRefusal(Oss.MALFORMED)
    ciphers = tuple((child.tag, child.text.strip()) for child in suite.children) if suite else ()
    before, call.bucket.https_config = (
        call.bucket.https_config,
        HttpsConfig(enabled, versions, ciphers),
    )
    call.changed(before, call.bucket.https_config)
    return done()


def get(call: OssCall) -> Response:
    """The configuration; disabled when it was never put."""
    config = call.bucket.https_config
    tls: list[Node] = [("Enable", shown(config.tls_enabled))]
    tls += [("TLSVersion", version) for version in config.tls_versions]
    suite: list[Node] = list(config.cipher_suite)
    return answer("HttpsConfiguration", [("TLS", tls), ("CipherSuite", suite)] if suite else [("TLS", tls)])


OPERATIONS = (
    Operation("PutBucketHttpsConfig", Level.BUCKET, "PUT", "httpsConfig", put),
    Operation("GetBucketHttpsConfig", Level.BUCKET, "GET", "httpsConfig", get, reads=True),
)
