"""Certificates for tests, of authorities that exist for one test."""

from __future__ import annotations

import ssl
from pathlib import Path

from bench.certificates import certificate, new_key, pem


class Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self._key = new_key()
        self._issued = 0
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(pem(certificate(name, self._key, name, self._key)))

    def issue(self, *names: str) -> Path:
        """A certificate for those names or IP addresses, and its key, in one file."""
        self._issued += 1
        key = new_key()
        path = self._folder / f"{self._name}-{self._issued}.pem"
        path.write_bytes(pem(key) + pem(certificate(names[0], key, self._name, self._key, *names)))
        return path

    def trusted(self) -> ssl.SSLContext:
        """A client's context that trusts this authority alone, as strict on every Python as on the newest."""
        context = ssl.create_default_context(cafile=str(self.path))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context
