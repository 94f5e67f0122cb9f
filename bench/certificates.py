"""Makes certificates of authorities that exist for one run, for the benchmark and for tests.

They have every extension that RFC 5280 wants of them, for Python 3.13 and newer accept no others by default.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LIFE = timedelta(days=2)
"""Of every certificate, half of it over already."""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, *names: str
) -> x509.Certificate:
    """One for those host names or IP addresses; without any, that of an authority."""
    now = datetime.now(UTC)
    public = key.public_key()
    builder = (
        x509.CertificateBuilder(_name(issuer), _name(subject), public, x509.random_serial_number())
        .not_valid_before(now - LIFE / 2)
        .not_valid_after(now + LIFE / 2)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        .add_extension(_usage(is_authority=not names), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names:
        every = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(every, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(of: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate, or a key that no password protects, as a server reads it from a file."""
    if isinstance(of, x509.Certificate):
        return of.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    return of.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


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
