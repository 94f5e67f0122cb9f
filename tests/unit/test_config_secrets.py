"""What must never get into the configuration, nor out of it again through an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config_files import QUEUE, RULE, SMALLEST, problems

REFUSED = (
    "credentials never stand in the configuration, and the value is not shown: they come from the environment"
    " (ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET), RRSA or the ECS RAM role"
)
ENDPOINT = "must be https://host or https://host:port (http:// only if you write it), without path, user or query"


@pytest.mark.parametrize(
    ("added", "key"),
    [
        ('access_key_id = "hunter2"', "queue.access_key_id"),
        ('accessKeySecret = "hunter2"', "queue.accessKeySecret"),
        ('[oss]\nsecurity-token = "hunter2"', "oss.security-token"),
        ('[extra.deep]\npassword = "hunter2"', "extra.deep.password"),
        ('[credentials]\nx = "hunter2"', "credentials"),
    ],
)
def test_credentials_are_refused_without_showing_them(tmp_path: Path, added: str, key: str) -> None:
    """A key named like a credential is refused wherever it stands, with where credentials come from instead."""
    told = problems(tmp_path, QUEUE + added + RULE)

    assert told[0] == f"{key}: {REFUSED}"
    assert "hunter2" not in "".join(told)


def test_credentials_in_a_rule_are_refused(tmp_path: Path) -> None:
    """Lists of tables are searched as well."""
    assert problems(tmp_path, SMALLEST + 'options = {api_key = "hunter2"}') == [f"rules[0].options.api_key: {REFUSED}"]


@pytest.mark.parametrize(
    "secret",
    ["https://me:hunter2@host", "LTAI5tAbCdEfGhIjKlMn", "STS.NUxyzABCDEFGH", "aB3" * 10, "-----BEGIN RSA PRIVATE KEY"],
)
def test_a_value_that_looks_like_a_secret_is_not_shown(tmp_path: Path, secret: str) -> None:
    """A secret in the wrong place does not reach the log through the error about it."""
    hidden = "given a value that is not shown because it looks like a secret"

    assert problems(tmp_path, QUEUE + f'endpoint = "{secret}"' + RULE) == [
        f"queue.endpoint: {ENDPOINT}, or empty, {hidden}"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "host",
        "ftp://host",
        "https://",
        "https://host/",
        "https://host/path",
        "https://host?x=1",
        "https://host#x",
        "https://host:port",
        "https://host:70000",
        "https://ho st",
        "https://host\\\\n",
        "https://höst",
    ],
)
def test_an_endpoint_is_scheme_and_host_alone(tmp_path: Path, url: str) -> None:
    """Nothing but a scheme, a host and a port is an endpoint."""
    (line,) = problems(tmp_path, QUEUE + f'endpoint = "{url}"' + RULE)

    assert line.startswith(f"queue.endpoint: {ENDPOINT}, or empty, given ")
