"""`rules`, `config show` and `config schema`, and what all commands have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from consumer.cli.main import cli as root
from consumer.remediations.catalogue import catalogue
from tests.integration.cli.conftest import Cli


def _commands(group: click.Group = root, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(_commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    """The help of each command has a sentence, its exit status or an example, and a word on every option."""
    command = COMMANDS[path]
    shown = CliRunner().invoke(root, [*path, "--help"]).output
    assert "Exit status" in shown or "Example" in shown
    assert command.get_short_help_str(200).endswith(".")
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


def test_the_help_needs_no_sdk(cli: Cli) -> None:
    """`--help` imports neither a vendor's SDK nor the configuration's models, so that it answers at once."""
    result = cli.run("--help", PYTHONPROFILEIMPORTTIME="1")
    imported = set(re.findall(r"\| +([\w.]+)$", result.err, re.MULTILINE))
    assert result.status == 0
    assert "consumer.cli.commands" in imported
    assert not imported & {"mns", "oss2", "pydantic", "rich.console", "structlog", "prometheus_client"}


def test_every_remediation_is_listed_with_what_it_does(cli: Cli) -> None:
    """The list is the catalogue, with summary, undo, side effects and RAM actions."""
    listed = {entry["name"]: entry for entry in cli.json("rules")}
    assert set(listed) == set(catalogue())
    for name, kind in catalogue().items():
        assert (listed[name]["summary"], listed[name]["may_break"]) == (kind.summary, kind.may_break)
        assert set(kind.actions) < set(listed[name]["actions"])


def test_configured_rules_stand_beside_their_remediation(cli: Cli) -> None:
    """With a configuration, the table says which rule uses what, in which mode."""
    result = cli.run("rules")
    assert result.status == 0
    assert "public-read: enforce" in result.out
    assert "public-write: observe" in result.out


def test_one_remediation_is_shown_in_full(cli: Cli) -> None:
    """Its options with their defaults and the managed rules it serves."""
    shown = cli.run("rules", "oss.logging", REMEDIATOR_CONFIG="")
    assert shown.status == 0
    assert all(word in shown.out for word in ("target_bucket", "oss-accesslog/", "oss:DeleteBucketLogging"))


def test_an_unknown_remediation_is_refused_by_name(cli: Cli) -> None:
    """A typing error ends with the known names and status 2."""
    result = cli.run("rules", "oss.bucket-acls")
    assert result.status == 2
    assert "oss.bucket-acl," in result.err


def test_values_are_shown_with_where_they_came_from(cli: Cli) -> None:
    """File, variable and default are told apart."""
    found = {
        entry["key"]: (entry["value"], entry["source"])
        for entry in cli.json("config", "show", REMEDIATOR__ENGINE__WORKERS="3")
    }
    assert found["queue.name"] == ("config-events", "file")
    assert found["engine.workers"] == (3, "environment")
    assert found["retry.max_attempts"] == (8, "default")
    assert found["rules[0].mode"] == ("enforce", "file")


def test_only_what_was_changed_is_shown_on_request(cli: Cli) -> None:
    """`--changed` leaves defaults out."""
    assert "default" not in cli.run("config", "show", "--changed").out


def test_no_credential_is_ever_shown(cli: Cli) -> None:
    """What looks like a secret is masked in both forms, wherever somebody has put it."""
    secret = "LTAI5tAbCdEfGhIjKlMnOpQr"
    cli.replace('config_rule_ids = ["cr-read"]', f'config_rule_ids = ["{secret}"]')
    for form in ("table", "json"):
        result = cli.run("config", "show", "-o", form)
        assert result.status == 0
        assert secret not in result.out + result.err
        assert cli.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] not in result.out + result.err


def test_a_broken_configuration_is_recognised_by_key_and_status(cli: Cli) -> None:
    """Every problem at once, with the key, and status 2."""
    cli.replace("workers = 2", "workers = 0\nwrokers = 3")
    result = cli.run("config", "show")
    assert result.status == 2
    assert "engine.workers: must be" in result.err
    assert "did you mean engine.workers?" in result.err


def test_the_schema_accepts_what_loads(cli: Cli) -> None:
    """The schema is JSON Schema and knows every section."""
    schema = cli.run("config", "schema").document
    assert schema["$schema"].endswith("2020-12/schema")
    assert {"queue", "topic", "journal", "rules"} <= set(schema["$defs"]["Config"]["properties"])


def test_a_command_without_a_configuration_says_which_option_is_missing(cli: Cli) -> None:
    """The usage error names the option."""
    result = cli.run("config", "show", REMEDIATOR_CONFIG="")
    assert result.status == 2
    assert "--config" in result.err


def test_a_file_that_is_not_there_is_named(cli: Cli, tmp_path: Path) -> None:
    """The path stands in the message."""
    result = cli.run("config", "show", "-c", str(tmp_path / "missing.toml"))
    assert result.status == 2
    assert "missing.toml" in result.err
