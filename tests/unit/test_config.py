"""What a good configuration becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from consumer.config import Config, LoadedConfig, SourceKind, build_rules, json_schema, load_with_sources
from consumer.config.types import Region, Section
from consumer.core.event import REGION
from consumer.guards.rule import Mode
from consumer.remediations.catalogue import catalogue
from consumer.remediations.oss.acl import BucketAcl
from tests.unit.config_files import QUEUE, RULE, SMALLEST, loaded, problems


def _with_sources(path: Path, text: str, environ: dict[str, str]) -> LoadedConfig:
    file = path / "config.toml"
    file.write_text(text)
    return load_with_sources(file, environ)


def test_the_smallest_file_takes_every_default(tmp_path: Path) -> None:
    """An account, a queue and a rule are enough."""
    config = loaded(tmp_path, SMALLEST)

    assert (config.engine.workers, config.engine.slots, config.retry.max_attempts) == (32, 128, 8)
    assert (config.http.host, config.http.port, config.log.level) == ("127.0.0.1", 9108, "info")
    assert config.rules[0].mode is Mode.OBSERVE


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    """What was checked is what holds."""
    config = loaded(tmp_path, SMALLEST)

    with pytest.raises(ValidationError, match="frozen"):
        config.engine.workers = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("added", "endpoint"),
    [
        ("", "https://1234567890123456.mns.cn-hangzhou.aliyuncs.com"),
        ("internal = true", "http://1234567890123456.mns.cn-hangzhou-internal.aliyuncs.com"),
        ('internal = true\nendpoint = "http://127.0.0.1:9101"', "http://127.0.0.1:9101"),
        ('endpoint = "http://[::1]:9101"', "http://[::1]:9101"),
    ],
)
def test_the_queue_has_one_endpoint(tmp_path: Path, added: str, endpoint: str) -> None:
    """The endpoint follows account and region over https, unless the file says otherwise."""
    assert loaded(tmp_path, QUEUE + added + RULE).mns_endpoint == endpoint


def test_buckets_without_a_region_are_looked_for_where_the_queue_is(tmp_path: Path) -> None:
    """The default region is the queue's, unless the file names another."""
    assert loaded(tmp_path, SMALLEST).oss_default_region == "cn-hangzhou"
    other = QUEUE + '[oss]\ndefault_region = "cn-beijing"' + RULE
    assert loaded(tmp_path, other).oss_default_region == "cn-beijing"


def test_rules_are_built_in_order_with_their_options(tmp_path: Path) -> None:
    """A rule of the engine has everything its entry says, and holds as long as the file says where it does not."""
    second = RULE.replace("public-read", "second").replace("observe", "enforce") + (
        'hold_seconds = 60\naccounts = ["12345"]\nregions = ["cn-beijing"]\nrisk_levels = ["critical"]\n'
        'config_rule_ids = ["cr-1"]\nrule_names = ["a*"]\nresource_types = ["ACS::OSS::Bucket"]\n'
        'options = {drop = "write"}'
    )
    first, last = build_rules(loaded(tmp_path, SMALLEST + second + "\n[retry]\nhold_seconds = 77"))

    assert (first.name, first.mode, first.hold_seconds) == ("public-read", Mode.OBSERVE, 77)
    assert first.selector.source_identifiers == {"oss-bucket-public-read-prohibited"}
    assert (last.name, last.mode, last.hold_seconds) == ("second", Mode.ENFORCE, 60)
    assert isinstance(last.remediation, BucketAcl)
    assert last.remediation._drop == "write"
    assert last.selector.accounts == {"12345"}
    assert last.selector.regions == {"cn-beijing"}
    assert last.selector.risk_levels == {"critical"}
    assert last.selector.config_rule_ids == {"cr-1"}
    assert last.selector.rule_names == ("a*",)
    assert last.selector.resource_types == {"ACS::OSS::Bucket"}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """Single values of every kind can be set by variables."""
    environ = {
        "REMEDIATOR__ACCOUNT_ID": "12345",
        "REMEDIATOR__QUEUE__NAME": "other",
        "REMEDIATOR__QUEUE__INTERNAL": "true",
        "REMEDIATOR__ENGINE__WORKERS": "2",
        "REMEDIATOR__ENGINE__DELETE_LINGER_SECONDS": "0.5",
        "REMEDIATOR__OSS__ENDPOINTS__CN_BEIJING": "https://private.example",
        "REMEDIATOR__OSS__ENDPOINTS__ANY": "http://127.0.0.1:9102",
        "REMEDIATOR__ECS__ENDPOINTS__ANY": "http://127.0.0.1:9104",
        "REMEDIATOR__LOG__FORMAT": "json",
    }
    config = loaded(tmp_path, SMALLEST, environ)

    assert (config.account_id, config.queue.name, config.queue.internal) == ("12345", "other", True)
    assert (config.engine.workers, config.engine.delete_linger_seconds) == (2, 0.5)
    assert config.oss.endpoints == {"cn-beijing": "https://private.example", "*": "http://127.0.0.1:9102"}
    assert config.ecs.endpoints == {"*": "http://127.0.0.1:9104"}
    assert config.log.format == "json"


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    """What Kubernetes injects for a service named remediator does no harm."""
    environ = {"REMEDIATOR_PORT": "tcp://10.0.0.1:80", "REMEDIATOR_SERVICE_HOST": "10.0.0.1", "PATH": "/bin"}

    assert loaded(tmp_path, SMALLEST, environ) == loaded(tmp_path, SMALLEST)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "REMEDIATOR__HTTP__PORT",
            "many",
            'http.port: must be a whole number from 0 to 65535, given "many" by REMEDIATOR__HTTP__PORT',
        ),
        (
            "REMEDIATOR__HTTP__ENABLED",
            "yes",
            'http.enabled: must be true or false, given "yes" by REMEDIATOR__HTTP__ENABLED',
        ),
        (
            "REMEDIATOR__QUEUE__NAEM",
            "x",
            "REMEDIATOR__QUEUE__NAEM: unknown variable; did you mean REMEDIATOR__QUEUE__NAME?",
        ),
        (
            "REMEDIATOR__RULES__0__MODE",
            "enforce",
            "REMEDIATOR__RULES__0__MODE: rules cannot be set from the environment; write them in the file",
        ),
        (
            "REMEDIATOR__ACCESS_KEY_SECRET",
            "hunter2",
            (
                "REMEDIATOR__ACCESS_KEY_SECRET: credentials never stand in the configuration,"
                " and the value is not shown:"
                " they come from the environment (ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET), RRSA or the ECS RAM role"
            ),
        ),
        (
            "REMEDIATOR__OSS__ENDPOINTS__EVIL.EXAMPLE",
            "https://host",
            'oss.endpoints."evil.example": the key must be a region id such as cn-hangzhou, or "*"',
        ),
    ],
)
def test_a_wrong_variable_is_recognised_by_its_name(tmp_path: Path, name: str, text: str, line: str) -> None:
    """A problem that a variable caused names the variable."""
    assert problems(tmp_path, SMALLEST, {name: text}) == [line]


def test_a_variable_that_is_like_no_other_is_reported_with_those_there_are(tmp_path: Path) -> None:
    """Where nothing is near, every known variable is listed."""
    (line,) = problems(tmp_path, SMALLEST, {"REMEDIATOR__": "x"})

    assert line.startswith("REMEDIATOR__: unknown variable; ")


def test_every_value_knows_where_it_came_from(tmp_path: Path) -> None:
    """File, environment and default are told apart, for single values, for tables and inside rules."""
    text = QUEUE + '[oss.endpoints]\n"*" = "https://host"' + RULE
    found = _with_sources(tmp_path, text, {"REMEDIATOR__QUEUE__NAME": "other"})
    origin = {setting.key: (setting.value, setting.source, setting.name) for setting in found.settings}
    file = str(tmp_path / "config.toml")

    assert origin["queue.name"] == ("other", SourceKind.ENVIRONMENT, "REMEDIATOR__QUEUE__NAME")
    assert origin["queue.region"] == ("cn-hangzhou", SourceKind.FILE, file)
    assert origin["engine.workers"] == (32, SourceKind.DEFAULT, "")
    assert origin['oss.endpoints."*"'] == ("https://host", SourceKind.FILE, file)
    assert origin["rules[0].mode"] == (Mode.OBSERVE, SourceKind.FILE, file)
    assert origin["rules[0].hold_seconds"] == (None, SourceKind.DEFAULT, "")


def test_a_region_is_what_an_event_may_name() -> None:
    """The configuration takes exactly the regions that the decoder takes."""

    class One(Section):
        region: Region

    for text in ("cn-hangzhou", "rg-china-mainland", "c", "cn", "CN", "cn-", "cn.x", "a/b", "cn--x", "cn-" + "x" * 17,
                 "-".join(["a" * 16] * 6), "cn-hangzhou\n", "cn-hängzhou", ""):  # fmt: skip
        try:
            One(region=text)
        except ValidationError:
            taken = False
        else:
            taken = True
        assert taken == bool(REGION.fullmatch(text)), text


def test_the_schema_describes_the_options_of_every_remediation() -> None:
    """An editor can complete a rule's options once it knows the remediation."""
    schema = json_schema()
    rule = schema["$defs"]["RuleConfig"]

    assert rule["properties"]["remediation"]["enum"] == sorted(catalogue())
    assert [entry["if"]["properties"]["remediation"]["const"] for entry in rule["allOf"]] == sorted(catalogue())
    for entry in rule["allOf"]:
        name = entry["then"]["properties"]["options"]["$ref"].removeprefix("#/$defs/")
        assert schema["$defs"][name]["additionalProperties"] is False
    assert schema["$ref"] == f"#/$defs/{Config.__name__}"
    assert schema["$defs"]["QueueConfig"]["properties"]["wait_seconds"]["maximum"] == 30


def test_keys_that_depend_on_each_other_may_just_meet(tmp_path: Path) -> None:
    """Each check across keys takes the smallest value that it says is enough."""
    text = QUEUE + (
        "[engine]\nworkers = 8\nslots = 8\nlease_seconds = 90\nwork_budget_seconds = 90\nmax_lease_seconds = 90\n"
        "shutdown_grace_seconds = 40\n[retry]\nrequest_base_seconds = 2\nrequest_cap_seconds = 2\n"
        "backoff_base_seconds = 60\nbackoff_cap_seconds = 60"
    )

    assert loaded(tmp_path, text + RULE).engine.slots == 8
