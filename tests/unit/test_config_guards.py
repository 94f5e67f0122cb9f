"""What the tables of the guards become, and what is refused in them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumer.app.build import build_agreement
from consumer.config import build_exemptions, build_rules
from consumer.guards.limits import Limit
from tests.unit.config_files import RULE, SMALLEST, loaded, problems

TOO_FEW = (
    "breaker.attempts: must be at least breaker.min_attempts (5), given 4: what is not judged can never be too few"
)
EXEMPTION = """
[[exemptions]]
name = "static"
owner = "web"
reason = "public by design"
expires = {expires}
{narrowed}
"""


def exemption(expires: str = "2027-01-31", narrowed: str = 'resources = ["static-*"]') -> str:
    """One entry."""
    return EXEMPTION.format(expires=expires, narrowed=narrowed)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("2027-12-31", datetime(2028, 1, 1, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00+08:00", datetime(2027, 1, 31, 4, tzinfo=UTC)),
    ],
)
def test_an_exemption_ends_at_one_moment_everywhere(tmp_path: Path, written: str, moment: datetime) -> None:
    """A date ends with its day in UTC; a time says which offset it has."""
    (built,) = build_exemptions(loaded(tmp_path, SMALLEST + exemption(written)))
    assert built.expires_at == moment.timestamp()


@pytest.mark.parametrize("written", ["2027-01-31T12:00:00", "12:00:00", '"2027-01-31"', "1800000000"])
def test_a_moment_that_is_not_one_everywhere_is_refused(tmp_path: Path, written: str) -> None:
    """A local time would end at another moment on every machine."""
    (line,) = problems(tmp_path, SMALLEST + exemption(written))
    assert line.startswith("exemptions[0].expires: must be a date such as 2027-01-31, or a time with an offset")


def test_an_exemption_becomes_what_it_says(tmp_path: Path) -> None:
    """Every mark reaches the guard."""
    narrowed = (
        'resource_types = ["ACS::OSS::Bucket"]\n'
        'resources = ["a*"]\naccounts = ["12345"]\nregions = ["cn-beijing"]\nrules = ["public-read"]\n'
        'tags = {public = "yes", owner = "*"}'
    )
    (built,) = build_exemptions(loaded(tmp_path, SMALLEST + exemption(narrowed=narrowed)))
    assert (built.name, built.owner, built.reason) == ("static", "web", "public by design")
    assert (built.resources, built.accounts, built.regions) == (("a*",), {"12345"}, {"cn-beijing"})
    assert built.resource_types == {"ACS::OSS::Bucket"}
    assert (built.rules, built.tags) == ({"public-read"}, (("owner", "*"), ("public", "yes")))


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        (
            exemption(narrowed='rules = ["public-read"]'),
            "exemptions[0]: exempts nothing in particular; give at least one of accounts, regions, resources, tags",
        ),
        (
            exemption(narrowed='resources = ["a"]\nrules = ["public-raed"]'),
            'exemptions[0].rules: must name rules that there are, given "public-raed"',
        ),
        (
            exemption(narrowed='resource_types = ["ACS::OSS::Bucket"]'),
            "exemptions[0]: exempts nothing in particular; give at least one of accounts, regions, resources, tags",
        ),
        (
            exemption(narrowed='resources = ["sg-*"]\nresource_types = ["ACS::KMS::Key"]'),
            'exemptions[0].resource_types: must be types that a rule repairs (ACS::OSS::Bucket), given "ACS::KMS::Key"',
        ),
        (
            exemption() + exemption(),
            'exemptions[1].name: must be unique, given "static", which is also exemptions[0].name',
        ),
    ],
)
def test_an_exemption_that_cannot_be_meant_is_refused(tmp_path: Path, entries: str, line: str) -> None:
    """Nobody exempts everything, or from a rule that does not exist, or a type that no rule repairs."""
    assert problems(tmp_path, SMALLEST + entries) == [line]


def test_a_rule_has_a_limit_of_its_own_only_if_it_says_so(tmp_path: Path) -> None:
    """Without one, the limit on all rules is the only one."""
    limited = RULE.replace("public-read", "second") + "[rules.limits]\nmax_changes = 20\nwindow_seconds = 60\n"
    first, second = build_rules(loaded(tmp_path, SMALLEST + limited))
    assert (first.limit, second.limit) == (None, Limit(20, 60.0))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("[limits]\nmax_changes = 0", "limits.max_changes: must be a whole number from 1 to 1000000, given 0"),
        (
            "[breaker]\nattempts = 4\nmin_attempts = 5",
            TOO_FEW,
        ),
        ('[accounts]\nrole_name = "a/b"', None),
        ('[accounts]\nsts_endpoint = "sts.aliyuncs.com"', None),
        ("[accounts]\nduration_seconds = 900", None),
        ('[reevaluate]\nregion = "cn-hangzhou"', None),
        ("[reevaluate]\nagreement_timeout_seconds = 59", None),
        ("[reevaluate]\nagreement_timeout_seconds = 7201", None),
    ],
)
def test_what_is_out_of_range_is_refused(tmp_path: Path, table: str, line: str | None) -> None:
    """Each with its key."""
    (told,) = problems(tmp_path, SMALLEST + table)
    assert line is None or told == line
    assert told.startswith(table[1:].split("]")[0])


def test_exemptions_stand_in_the_file_only(tmp_path: Path) -> None:
    """A variable cannot quietly exempt anything."""
    (line,) = problems(tmp_path, SMALLEST, {"REMEDIATOR__EXEMPTIONS__0__NAME": "x"})
    assert "exemptions cannot be set from the environment" in line


@pytest.mark.parametrize(
    ("table", "seconds"),
    [
        ("", None),
        ("[reevaluate]\nenabled = true", None),
        ("[reevaluate]\nwait_for_agreement = true", None),
        ("[reevaluate]\nenabled = true\nwait_for_agreement = true\nagreement_timeout_seconds = 600", 600.0),
    ],
)
def test_agreement_is_waited_for_only_where_it_is_requested(tmp_path: Path, table: str, seconds: float | None) -> None:
    """An exposure that nobody's word could close must not stay open."""
    policy = build_agreement(loaded(tmp_path, f"{SMALLEST}\n{table}\n"))
    assert (policy.timeout_seconds if policy else None) == seconds


def test_windows_become_part_of_the_rule(tmp_path: Path) -> None:
    """In the order of the file; without any, any time will do."""
    windows = 'windows = ["Mon-Fri 09:00-17:00 Asia/Shanghai", "Sat 22:00-06:00 UTC"]\n'

    (rule,) = build_rules(loaded(tmp_path, SMALLEST + windows))
    assert [window.text for window in rule.windows] == ["Mon-Fri 09:00-17:00 Asia/Shanghai", "Sat 22:00-06:00 UTC"]
    assert build_rules(loaded(tmp_path, SMALLEST))[0].windows == ()


def test_a_window_that_is_none_is_refused_by_its_key(tmp_path: Path) -> None:
    """With what is allowed, and what is wrong with it: also where nothing is known of the zone."""
    windows = 'windows = ["Mon-Fri 09:00-17:00 Asia/Peking", "always"]\n'
    form = 'must be days, times and a zone such as "Mon-Fri 09:00-17:00 Asia/Shanghai" or "daily 22:00-06:00 UTC"'
    zone = "(nothing is known of the zone 'Asia/Peking'; names are as in Asia/Shanghai, and UTC is one)"

    assert problems(tmp_path, SMALLEST + windows) == [
        f'rules[0].windows[0]: {form} {zone}, given "Mon-Fri 09:00-17:00 Asia/Peking"',
        f'rules[0].windows[1]: {form} (it has not the form of days, times and zone), given "always"',
    ]


def test_zones_are_known_where_the_machine_has_none() -> None:
    """A slim image has no zone data; the package that this one depends on has."""
    code = (
        "import zoneinfo; zoneinfo.reset_tzpath(()); from consumer.guards.window import TimeWindow;"
        " print(TimeWindow.parsed('Mon 09:00-17:00 Asia/Shanghai').text)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout == "Mon 09:00-17:00 Asia/Shanghai\n"
