"""What must never get into the configuration, nor out of it again through an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.config.environment import PREFIX, variable
from consumer.config.introspection import keys
from consumer.config.model import Config
from consumer.core.errors import ConfigurationError
from tests.unit.config_files import QUEUE, RULE, SMALLEST, loaded, problems

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


def _takes(tmp_path: Path, name: str, url: str) -> bool:
    try:
        loaded(tmp_path, SMALLEST, {name: url})
    except ConfigurationError:
        return False
    return True


def _urls(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Every key that takes a URL, found by trying it: the variable that sets it, and the scheme."""
    for key in keys(Config):
        name = variable(key).replace("<REGION>", "ANY")
        if not name or key.kind.type in (bool, int, float) or _takes(tmp_path, name, "a word and no URL"):
            continue
        for scheme in ("https", "redis"):
            if _takes(tmp_path, name, f"{scheme}://host.example.com"):
                yield name, scheme


def test_no_url_takes_a_password(tmp_path: Path) -> None:
    """All of them are shown somewhere, in the log, by `config show` or to whoever reads an announcement."""
    found = dict(_urls(tmp_path))
    known = ("ANNOUNCE__RUNBOOK_URL", "SHARED__URL", "OSS__ENDPOINTS__ANY", "QUEUE__ENDPOINT", "REEVALUATE__ENDPOINT")
    assert {PREFIX + name for name in known} <= set(found)
    for name, scheme in found.items():
        for credentials in ("me:hunter2", ":hunter2", "hunter2:", "a:b:hunter2", "me%3Ahunter2"):
            given = f"{scheme}://{credentials}@host.example.com"
            (line,) = problems(tmp_path, SMALLEST, {name: given})
            assert "hunter2" not in line, line
            assert "looks like a secret" in line


@pytest.mark.parametrize("key", ["owner", "reason"])
def test_a_text_that_is_shown_names_no_link_with_a_password(tmp_path: Path, key: str) -> None:
    """The reason of an exemption stands in the log, the journal and the report of each resource it is about."""
    exemption = {"name": "x", "owner": "web", "reason": "serves assets", "expires": "2099-01-01", "resources": ["a"]}
    exemption[key] = "see https://me:hunter2@wiki.example.com/x"
    text = "".join(
        f"{name} = {value if name == 'expires' else json.dumps(value)}\n" for name, value in exemption.items()
    )
    (line,) = problems(tmp_path, SMALLEST + f"\n[[exemptions]]\n{text}")

    assert "password" in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    "query",
    [
        "token=hunter2",
        "a=b&access_token=hunter2",
        "Signature=hunter2",
        "x=1;password=hunter2",
        "OSSAccessKeyId=hunter2",
        "api-key=hunter2",
        "sig=LTAI5tAbCdEfGhIjKlMn",
    ],
)
def test_a_link_that_is_published_has_no_credential_in_its_query(tmp_path: Path, query: str) -> None:
    """Whoever subscribes to the topic could use it; signed links are credentials, too."""
    for mark in "?#":
        variables = {"REMEDIATOR__ANNOUNCE__RUNBOOK_URL": f"https://wiki.example.com/{{rule}}{mark}{query}"}
        (line,) = problems(tmp_path, SMALLEST, variables)
        assert "hunter2" not in line, line
        assert "LTAI5" not in line


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://wiki.example.com", True),
        ("http://wiki.example.com:8080/{rule}", True),
        ("https://wiki.example.com/@team/{rule}?bucket={resource}&r={reason}#{kind}", True),
        ("https://wiki.example.com?{rule}", True),
        ("https://[2001:db8::1]/x", True),
        ("https://wiki.example.com/keys/monkey?keyboard=1", True),
        ("https://{resource}/x", False),
        ("https://wiki{resource}/x", False),
        ("https://wiki.example.com{resource}", False),
        ("https://wiki.example.com:{resource}/x", False),
        ("https://wiki.example.com:70000/x", False),
        ("https://wiki.example.com/{owner}", False),
        ("https://wiki.example.com/{rule", False),
        ("https://wiki.example.com/rule}", False),
        ("https://wiki.example.com/{{rule}}", False),
        ("https://wiki.example.com/a b", False),
        ("https://wiki.example.com\\\\@evil.example.com/", False),
        ("javascript:alert(1)", False),
        ("//wiki.example.com/", False),
    ],
)
def test_a_link_leads_to_the_host_that_is_written_and_nowhere_else(tmp_path: Path, url: str, taken: bool) -> None:
    """What an event names may stand in the path and after it, and never decide whose page people are sent to."""
    assert _takes(tmp_path, "REMEDIATOR__ANNOUNCE__RUNBOOK_URL", url) is taken
