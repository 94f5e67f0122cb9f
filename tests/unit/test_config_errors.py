"""What a wrong configuration is told, word for word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from consumer.config import load
from consumer.core.errors import ConfigurationError
from tests.unit.config_files import QUEUE, RULE, SMALLEST, problems

ENDPOINT = "must be https://host or https://host:port (http:// only if you write it), without path, user or query"


@pytest.mark.parametrize(
    ("added", "line"),
    [
        ("wait_seconds = 45", "queue.wait_seconds: must be a whole number of seconds from 1 to 30, given 45"),
        ("wait_seconds = 0", "queue.wait_seconds: must be a whole number of seconds from 1 to 30, given 0"),
        ('wait_seconds = "9"', 'queue.wait_seconds: must be a whole number of seconds from 1 to 30, given "9"'),
        ("internal = 1", "queue.internal: must be true or false, given 1"),
        ("[engine]\nworkers = true", "engine.workers: must be a whole number from 1 to 256, given true"),
        ("[engine]\nworkers = {}", "engine.workers: must be a whole number from 1 to 256, given a table"),
        (
            "[engine]\nwork_budget_seconds = nan",
            "engine.work_budget_seconds: must be a number of seconds from 1 to 43200, given nan",
        ),
        ('[log]\nformat = "yaml"', 'log.format: must be "auto", "json" or "console", given "yaml"'),
        ('[log]\nlevel = "loud"', 'log.level: must be "debug", "info", "warning" or "error", given "loud"'),
        ("[http]\nport = 70000", "http.port: must be a whole number from 0 to 65535, given 70000"),
        (
            'dead_letter_queue = "-dead"',
            (
                "queue.dead_letter_queue: must be at most 120 letters, digits and hyphens, the first one not a hyphen,"
                ' or empty, given "-dead"'
            ),
        ),
        (
            'dead_letter_queue = "events"',
            (
                'queue.dead_letter_queue: must be another queue than queue.name, given "events":'
                " dead letters would be consumed again for ever"
            ),
        ),
        (
            '[oss]\ndefault_region = "cn.evil"',
            (
                "oss.default_region: must be a region id such as cn-hangzhou, without a prefix or a dot, or empty,"
                ' given "cn.evil"'
            ),
        ),
        ('[oss.endpoints]\n"*" = "oss.example"', f'oss.endpoints."*": {ENDPOINT}, given "oss.example"'),
        (
            '[oss.endpoints]\n"x.y" = "https://a"',
            'oss.endpoints."x.y": the key must be a region id such as cn-hangzhou, or "*"',
        ),
        (
            "[engine]\nslots = 31",
            (
                "engine.slots: must be at least engine.workers (32), given 31:"
                " a worker without a slot never gets a message"
            ),
        ),
        (
            "[engine]\nmax_lease_seconds = 100",
            (
                "engine.max_lease_seconds: must be at least engine.work_budget_seconds (120), given 100:"
                " work must not outlast the lease it is done under"
            ),
        ),
        (
            "[engine]\nlease_seconds = 901",
            (
                "engine.max_lease_seconds: must be at least engine.lease_seconds (901), given 900:"
                " the first renewal already reaches that far"
            ),
        ),
        (
            "[engine]\nshutdown_grace_seconds = 39.5",
            (
                "engine.shutdown_grace_seconds: must be at least queue.wait_seconds (30)"
                " + queue.call_timeout_seconds (10),"
                " given 39.5: a stop waits for the open poll and then still has to settle"
            ),
        ),
        (
            "[retry]\nbackoff_cap_seconds = 29",
            (
                "retry.backoff_cap_seconds: must be at least retry.backoff_base_seconds (30), given 29:"
                " the first pause must not exceed the longest"
            ),
        ),
        (
            "[retry]\nrequest_base_seconds = 6",
            (
                "retry.request_cap_seconds: must be at least retry.request_base_seconds (6), given 5:"
                " the first pause must not exceed the longest"
            ),
        ),
        ("waitseconds = 3", "queue.waitseconds: unknown key, given 3; did you mean queue.wait_seconds?"),
        ("workers = 3", "queue.workers: unknown key, given 3; did you mean engine.workers?"),
        ("[log.more]\nx = 1", "log.more: unknown key, given a table; known here: format, level"),
        ("[engin]\nworkers = 3", "engin: unknown key, given a table; did you mean engine?"),
    ],
)
def test_one_problem_is_one_line(tmp_path: Path, added: str, line: str) -> None:
    """A wrong value is told with its key, what is allowed and what was given."""
    assert problems(tmp_path, QUEUE + added + RULE) == [line]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ('mode = "observe"', 'rules[0].mode: missing; must be "observe" or "enforce"'),
        (
            'source_identifiers = ["oss-bucket-public-read-prohibited"]',
            ("rules[0]: takes no event in particular; give at least one of"
            " config_rule_ids, source_identifiers, rule_names, resource_types"),
        ),
        ('name = "public-read"', ('rules[0].name: missing; must be at most 63 lower-case letters, digits and hyphens,'
         " the first one not a hyphen")),
    ],
)  # fmt: skip
def test_a_rule_says_what_it_needs(tmp_path: Path, changed: str, line: str) -> None:
    """A rule without a mode, a name or anything that selects events is refused."""
    assert problems(tmp_path, SMALLEST.replace(changed, "")) == [line]


@pytest.mark.parametrize(
    ("added", "line"),
    [
        ('options = {drop = "some"}', 'rules[0].options.drop: must be "all" or "write", given "some"'),
        ("options = {drp = 1}", "rules[0].options.drp: unknown key, given 1; did you mean rules[0].options.drop?"),
        ("options = 3", "rules[0].options: must be a table, given 3"),
        ('regions = "cn-x"', ("rules[0].regions: must be a list, each entry a region id such as cn-hangzhou,"
         ' without a prefix or a dot, given "cn-x"')),
        ('accounts = ["12345", 6]', "rules[0].accounts[1]: must be an account id in quotes: 5 to 20 digits, given 6"),
        ('risk_levels = ["high"]', 'rules[0].risk_levels[0]: must be "info", "warning" or "critical", given "high"'),
        ('resource_types = ["Bucket"]', ("rules[0].resource_types[0]: must be a resource type such as"
         ' ACS::OSS::Bucket, given "Bucket"')),
        ("hold_seconds = 43201", "rules[0].hold_seconds: must be a number of seconds from 1 to 43200, given 43201"),
        (RULE, 'rules[1].name: must be unique, given "public-read", which is also rules[0].name'),
    ],
)  # fmt: skip
def test_a_rule_names_the_key_that_is_wrong(tmp_path: Path, added: str, line: str) -> None:
    """Problems inside a rule are told with its place in the file, the remediation's own options included."""
    assert problems(tmp_path, SMALLEST + added) == [line]


def test_an_unknown_remediation_is_reported_with_those_there_are(tmp_path: Path) -> None:
    """A remediation that is in no catalogue is refused, naming the catalogue."""
    (line,) = problems(tmp_path, SMALLEST.replace("oss.bucket-acl", "oss.bucket-alc"))

    assert line.startswith('rules[0].remediation: must be one of "ecs.')
    assert '"oss.bucket-acl"' in line
    assert line.endswith(', given "oss.bucket-alc"')


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """Keys that are wrong by themselves do not hide those that contradict each other."""
    text = 'account_id = 12\n[queue]\nregion = "CN"\n[engine]\nslots = 3\nsetlers = 1\n[retry]\nbackoff_cap_seconds = 1'

    assert problems(tmp_path, text) == [
        "account_id: must be an account id in quotes: 5 to 20 digits, given 12",
        'queue.region: must be a region id such as cn-hangzhou, without a prefix or a dot, given "CN"',
        "queue.name: missing; must be at most 120 letters, digits and hyphens, the first one not a hyphen",
        "engine.setlers: unknown key, given 1; did you mean engine.settlers?",
        "rules: missing; at least one [[rules]] table is needed",
        "engine.slots: must be at least engine.workers (32), given 3: a worker without a slot never gets a message",
        (
            "retry.backoff_cap_seconds: must be at least retry.backoff_base_seconds (30), given 1:"
            " the first pause must not exceed the longest"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["account_id", "queue.region", "queue.name", "rules"]),
        ("queue = 3\nengine = []\nrules = 1", ["account_id", "queue", "engine", "rules"]),
        ("rules = [1]\n" + QUEUE, ["rules[0]"]),
        ("rules = []\n" + QUEUE, ["rules"]),
    ],
)
def test_what_is_no_table_is_reported_and_nothing_breaks(tmp_path: Path, text: str, lines: list[str]) -> None:
    """A file with other things where tables belong gets its lines like any other."""
    assert [line.split(": ")[0] for line in problems(tmp_path, text)] == lines


def test_a_misspelt_key_is_not_told_twice(tmp_path: Path) -> None:
    """What follows only from a misspelling, here a rule that selects nothing, is not told on top of it."""
    assert problems(tmp_path, SMALLEST.replace("source_identifiers", "source_identifer")) == [
        (
            'rules[0].source_identifer: unknown key, given ["oss-bucket-public-read-prohibited"];'
            " did you mean rules[0].source_identifiers?"
        )
    ]


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    """An error stays a line that can be read."""
    (line,) = problems(tmp_path, SMALLEST.replace('"observe"', f'"{"x" * 500}"'))

    assert line == f'rules[0].mode: must be "observe" or "enforce", given "{"x" * 79}…'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\nb == 2", "line 2, column 4: not TOML: Invalid value"),
        ('a = "', "line 1, column 6: not TOML: Unterminated string"),
        ("a = 1\na = 2", "line 2, column 6: not TOML: Cannot overwrite a value"),
    ],
)
def test_a_syntax_error_is_reported_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    """What is no TOML is told with the file, the line and the column."""
    file = tmp_path / "config.toml"
    file.write_text(text)

    with pytest.raises(ConfigurationError) as refused:
        load(file, {})

    assert str(refused.value) == f"{file}, {told}"


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """A file that is not there is named, with why it cannot be read."""
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path / "none.toml", {})

    assert str(refused.value) == f"{tmp_path / 'none.toml'}: cannot read the configuration: No such file or directory"


def test_a_file_in_another_encoding_is_reported(tmp_path: Path) -> None:
    """What is not UTF-8 is refused at its first wrong byte."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"a = '\xff'")

    with pytest.raises(ConfigurationError) as refused:
        load(file, {})

    assert str(refused.value) == f"{file}: not TOML: byte 5 is not UTF-8"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = " + "[" * 5_000 + "]" * 5_000, "tables or lists are nested deeper than 12 levels"),
        ("a = " + "{a = " * 5_000 + "1" + "}" * 5_000, "tables or lists are nested deeper than 12 levels"),
        (".".join("a" * 500) + " = 1", "tables or lists are nested deeper than 12 levels"),
        ("a = " + "[" * 13 + "]" * 13, "tables or lists are nested deeper than 12 levels"),
        ("#" * ((1 << 20) + 1), "larger than 1048576 bytes, so this is no configuration"),
        ("a = " + "9" * 5_000, "not TOML that can be read: Exceeds the limit (4300 digits)"),
    ],
    ids=["lists", "tables", "dotted", "a little", "large", "digits"],
)
def test_what_is_no_configuration_by_its_size_is_reported(tmp_path: Path, text: str, told: str) -> None:
    """A clear line, never a traceback."""
    file = tmp_path / "config.toml"
    file.write_text(text)

    with pytest.raises(ConfigurationError) as refused:
        load(file, {})

    assert str(refused.value).startswith(f"{file}: {told}")


def test_a_file_without_an_end_is_reported(tmp_path: Path) -> None:
    """No more of it is read than a configuration may have, and nothing of a device."""
    with pytest.raises(ConfigurationError, match="/dev/zero: cannot read the configuration: it is no regular file"):
        load(Path("/dev/zero"), {})
    large = tmp_path / "large.toml"
    large.write_bytes(b" " * (1 << 21))
    with pytest.raises(ConfigurationError, match=r"large\.toml: larger than"):
        load(large, {})


def test_a_pipe_is_read_and_never_waited_for(tmp_path: Path) -> None:
    """The shell's `<(…)` is one; one that nobody writes to is empty, and says so by what is missing."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigurationError, match="account_id"):
        load(pipe, {})
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pipe.open("w", encoding="utf-8") as writer:
            writer.write("no = ")
        with pytest.raises(ConfigurationError, match="not TOML"):
            load(Path(f"/dev/fd/{reader}"), {})
    finally:
        os.close(reader)
