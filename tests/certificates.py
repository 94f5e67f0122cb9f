"""Certificates for tests, of authorities that exist for one test.

They have every extension that RFC 5280 wants of them, for Python 3.13 and newer accept no others by default.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LIFE = timedelta(days=2)
"""Of every certificate, half of it over already."""


class Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issued = 0
        certificate = _made(name, name, self._key.public_key(), self._key, ())
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names: str) -> Path:
        """A certificate for those names or IP addresses, and its key, in one file."""
        self._issued += 1
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _made(names[0], self._name, key.public_key(), self._key, names)
        form = serialization.PrivateFormat.PKCS8
        path = self._folder / f"{self._name}-{self._issued}.pem"
        path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return path

    def trusted(self) -> ssl.SSLContext:
        """A client's context that trusts this authority alone, as strict on every Python as on the newest."""
        context = ssl.create_default_context(cafile=str(self.path))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context


def _made(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
) -> x509.Certificate:
    now = datetime.now(UTC)
    is_authority = not names
    builder = (
        x509.CertificateBuilder(_name(issuer), _name(subject), key, x509.random_serial_number())
        .not_valid_before(now - LIFE / 2)
        .not_valid_after(now + LIFE / 2)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names:
        every = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(every, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
