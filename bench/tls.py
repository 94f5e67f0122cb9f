"""A certificate authority for one run: the server's certificate, and the trust that clients load.

Clients get the public CA bundle with this authority appended, so that loading it costs what it costs in production.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import certifi

from bench.certificates import certificate, new_key, pem
from bench.names import DOMAIN
from bench.server.client import CertificateFiles


@dataclass(frozen=True, slots=True)
class Trust:
    """What server and clients are started with."""

    server: CertificateFiles
    bundle: Path
    """Every public authority, and ours."""

    def shown(self, *, tickets: bool) -> CertificateFiles:
        """The server's, with or without sessions to resume."""
        return replace(self.server, tickets=tickets)


def make_trust(folder: Path) -> Trust:
    """Certificates on ECDSA P-256 for every name below the benchmark's domain, written into a folder.

    As public services do, the server shows its own and that of the authority below the trusted one which issued it.
    """
    root_name, issuer_name = "benchmark authority", "benchmark issuer"
    root_key, issuer_key, key = (new_key() for _ in range(3))
    root = certificate(root_name, root_key, root_name, root_key)
    issuer = certificate(issuer_name, issuer_key, root_name, root_key)
    shown = certificate(DOMAIN, key, issuer_name, issuer_key, DOMAIN, f"*.{DOMAIN}")
    files = CertificateFiles(folder / "server.pem", folder / "server.key")
    files.certificate.write_bytes(pem(shown) + pem(issuer))
    files.key.write_bytes(pem(key))
    bundle = folder / "bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + pem(root))
    return Trust(files, bundle)
