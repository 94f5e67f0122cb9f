"""The gate that fails a run in CI for a skipped test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import MAY_BE_SKIPPED

ROOT = Path(__file__).parents[2]

_CONFTEST = """\
from tests.skips import SkipGate

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipGate())
"""
_FORMS = {
    "call": "import pytest\ndef test_it():\n    pytest.skip('no engine here')\n",
    "mark": "import pytest\n@pytest.mark.skipif(True, reason='no engine here')\ndef test_it():\n    pass\n",
    "fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('no engine here')\ndef test_it(f): ...\n",
    "module": "import pytest\npytest.skip('no engine here', allow_module_level=True)\n",
    "package": "import pytest\npytest.importorskip('no_such_package', reason='no engine here')\n",
}

_PARAMETER = """\
import pytest

@pytest.mark.parametrize("it", [pytest.param(1, id="{parameter}")])
def {function}(it):
    pytest.skip("no engine here")
"""


def _run(folder: Path, files: dict[str, str], *arguments: str, **environment: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    for name, text in {**files, "test_other.py": "def test_passes():\n    pass\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir=.", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "spread"])
def test_a_skip_fails_the_run_in_ci_and_is_named(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Whatever way it is skipped, and also where workers run the tests."""
    files = {f"test_{form}.py": text for form, text in _FORMS.items()}
    status, out = _run(tmp_path, files, *arguments, CI="true")
    assert status == pytest.ExitCode.TESTS_FAILED
    named = out.partition("skipped in CI, and not listed in tests/skips.py")[2].splitlines()
    for name in files:
        assert any(line.startswith(name) and "no engine here" in line for line in named), name


def test_at_home_a_skip_is_only_reported(tmp_path: Path) -> None:
    """Nobody has to install everything to see the rest pass."""
    assert _run(tmp_path, {"test_it.py": _FORMS["call"]}, CI="")[0] == pytest.ExitCode.OK


def test_what_is_listed_may_be_skipped_in_ci(tmp_path: Path) -> None:
    """Each listed test exists, so that the list cannot outlive its reasons."""
    files = {}
    for listed in MAY_BE_SKIPPED:
        name, _, test = listed.partition("::")
        text = (ROOT / name).read_text(encoding="utf-8")
        function, _, parameter = test.rstrip("]").partition("[")
        assert function in text
        assert parameter in text
        files[name] = _PARAMETER.format(function=function, parameter=parameter) if test else _FORMS["mark"]
    assert _run(tmp_path, files, CI="true")[0] == pytest.ExitCode.OK


def test_beside_a_listed_test_nothing_is_skipped(tmp_path: Path) -> None:
    """A test is listed, and not its file."""
    listed = next(each for each in MAY_BE_SKIPPED if "::" in each)
    assert _run(tmp_path, {listed.partition("::")[0]: _FORMS["call"]}, CI="true")[0] == pytest.ExitCode.TESTS_FAILED


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    """It ran."""
    text = "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_it():\n    assert False\n"
    assert _run(tmp_path, {"test_it.py": text}, CI="true")[0] == pytest.ExitCode.OK
