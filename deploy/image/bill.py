"""Prints what an image consists of, as CycloneDX: the product, the packages of its environment, Python, and Debian's.

Run while the image is built, with nothing but the standard library: `python bill.py NAME VERSION_FILE ENVIRONMENT`.
It reads what is installed, not what should be; and it names neither a time nor a serial number, so that the same
packages give the same text.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

_DPKG = Path("/var/lib/dpkg/status")


def bill(product: str, version_file: Path, environment: Path) -> dict[str, object]:
    """The whole document."""
    found = re.search(r'^__version__ = "([^"]+)"$', version_file.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"bill: {version_file} names no version")
    about = {
        **_component("application", product, found[1], f"pkg:generic/{product}@{found[1]}"),
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    parts = [*_distributions(environment), _python(), *_debian()]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": about},
        "components": sorted(parts, key=lambda each: str(each["bom-ref"])),
    }


def _component(kind: str, name: str, version: str, purl: str) -> dict[str, object]:
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _distributions(environment: Path) -> Iterator[dict[str, object]]:
    """https://github.com/package-url/purl-spec: names of pypi are in lower case, with dashes."""
    (folder,) = environment.glob("lib/python3*/site-packages")
    for each in metadata.distributions(path=[str(folder)]):
        name = re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower()
        yield _component("library", name, each.version, f"pkg:pypi/{name}@{each.version}")


def _python() -> dict[str, object]:
    version = platform.python_version()
    return _component("platform", "python", version, f"pkg:generic/python@{version}")


def _debian() -> Iterator[dict[str, object]]:
    """Nothing where the base is no Debian; a package that was removed but left its settings is none."""
    text = _DPKG.read_text("utf-8") if _DPKG.exists() else ""
    for block in text.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Architecture|Status): (.+)$", block, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            purl = f"pkg:deb/debian/{name}@{quote(version, safe='.+~-')}?arch={fields['Architecture']}"
            yield _component("library", name, version, purl)


if __name__ == "__main__":
    json.dump(bill(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])), sys.stdout, indent=1)
