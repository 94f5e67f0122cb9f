"""A certificate authority for one run: the server's certificate, and the trust that clients load.

Clients get the public CA bundle with this authority appended, so that loading it costs what it costs in production.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.names import DOMAIN
from bench.server.client import CertificateFiles

_DAY = timedelta(days=1)


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
    root_key, issuer_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name, issuer_name, name = map(_name, ("benchmark authority", "benchmark issuer", DOMAIN))
    root = _authority(root_name, root_name, root_key.public_key(), root_key)
    issuer = _authority(issuer_name, root_name, issuer_key.public_key(), root_key)
    names = x509.SubjectAlternativeName([x509.DNSName(DOMAIN), x509.DNSName(f"*.{DOMAIN}")])
    certificate = (
        _builder(name, issuer_name, key.public_key(), issuer_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(names, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    files = CertificateFiles(folder / "server.pem", folder / "server.key")
    files.certificate.write_bytes(_pem(certificate) + _pem(issuer))
    form = serialization.PrivateFormat.PKCS8
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    bundle = folder / "bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + _pem(root))
    return Trust(files, bundle)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _authority(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    return (
        _builder(name, issuer, key, issuer_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, issuer_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
