"""The Terraform module: the real Terraform validates and plans it against the provider's recorded schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumer.config import load
from deploy.ram import __main__ as policies
from tests.deploy.needed import ROOT
from tests.deploy.terraform import MODULE, Terraform, module
from tests.deploy.terraform_provider import SCHEMA

_RRSA = {"oidc_provider_arn": "acs:ram::1:oidc-provider/ack-rrsa-c1", "issuer": "https://issuer/c1"}
_RULE = '\n[[rules]]\nname = "public-read"\nremediation = "oss.bucket-acl"\nmode = "observe"\nrule_names = ["x"]\n'
_TOPIC, _QUEUE, _DEAD = (
    "alicloud_message_service_topic.this",
    "alicloud_message_service_queue.this",
    "alicloud_message_service_queue.dead_letter",
)


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    """The module as it is."""
    with module(tmp_path_factory.mktemp("module")) as made:
        yield made


def _text() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(MODULE.glob("*.tf")))


def test_it_is_formatted(terraform: Terraform) -> None:
    """As `terraform fmt` writes it."""
    done = terraform.run("fmt", "-check", "-diff", str(MODULE))
    assert done.returncode == 0, done.stdout


def test_it_is_valid_and_uses_nothing_deprecated(terraform: Terraform) -> None:
    """Not even a warning."""
    assert terraform.validate() == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_message_size = 65536", "max_size = 65536", "Unsupported argument"),
        ('  push_type             = "queue"\n', "", "Missing required argument"),
        ('push_type             = "queue"', 'push_type             = "Queue"', "expected push_type to be one of"),
        ("polling_wait_seconds     = 0 #", "polling_wait_seconds     = 31 #", "expected polling_wait_seconds to be in"),
        ("status                                 = 1", 'status = "on"', "Incorrect attribute value type"),
        ("  role_name                   = each", "  name = each", "name is deprecated since 1.252.0"),
        (
            "  policy_name     = each",
            "  name = each.key\n  policy_name = each",
            "policy_name conflicts with name",
        ),
        ('resource "alicloud_config_delivery"', 'resource "alicloud_config_channel"', "Invalid resource type"),
    ],
)
def test_what_the_provider_would_refuse_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """So that the module's validity above says something: each kind of mistake is found in a copy that has it."""
    with module(tmp_path, changes={old: new}) as broken:
        found = broken.validate()
    assert any(said in each["summary"] + each["detail"] for each in found), found


def test_the_provider_is_as_new_as_the_arguments(terraform: Terraform) -> None:
    """The least version is the newest one that renamed an argument which the module has by its new name."""
    used = {kind for kind in SCHEMA["resources"] if f'resource "{kind}"' in _text()}
    assert used == set(SCHEMA["resources"])
    renamed = [
        each["deprecated"]
        for kind in used
        for each in SCHEMA["resources"][kind]["arguments"].values()
        if "deprecated" in each
    ]
    newest = max(renamed, key=lambda version: [int(part) for part in version.split(".")])
    assert f'version = ">= {newest}, < 2.0.0"' in (MODULE / "versions.tf").read_text("utf-8")


def test_nothing_is_made_twice_or_left_unsaid(terraform: Terraform) -> None:
    """By default a channel and a policy, and a role for nobody."""
    made = terraform.plan().actions()
    assert set(made) == {
        _TOPIC,
        _QUEUE,
        _DEAD,
        "alicloud_message_service_subscription.this",
        "alicloud_config_delivery.this[0]",
        'alicloud_ram_policy.this["worker"]',
    }
    assert {*map(tuple, made.values())} == {("create",)}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("queue_name", "-queue"),
        ("dead_letter_queue_name", "config-events"),
        ("topic_name", "a topic"),
        ("subscription_name", "x" * 121),
        ("visibility_timeout_seconds", 1),
        ("visibility_timeout_seconds", 43201),
        ("retention_seconds", 345599),
        ("retention_seconds", 604801),
        ("retention_seconds", 400000.5),
        ("resource_types", ["OSS bucket"]),
        ("name", "config_remediator"),
        ("worker_policy", "no document"),
        ("worker_policy", '{"Statement": ["' + "x" * 6130 + '"]}'),
        ("rrsa", {**_RRSA, "oidc_provider_arn": "acs:ram::1:oidc-provider/*"}),
        ("rrsa", {**_RRSA, "issuer": "issuer/c1"}),
        ("rrsa", {**_RRSA, "namespace": "*"}),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(terraform: Terraform, variable: str, value: Any) -> None:
    """While planning, before anything is made."""
    done = terraform.refused(**{variable: value})
    assert done.returncode == 1
    assert variable in done.stderr


def test_every_variable_and_output_is_described() -> None:
    """In the module, and in its README."""
    names = re.findall(r'^(?:variable|output) "(\w+)"', _text(), re.MULTILINE)
    assert len(names) == len(re.findall(r"^  description = ", _text(), re.MULTILINE))
    readme = (MODULE / "README.md").read_text("utf-8")
    assert [name for name in names if f"`{name}`" not in readme] == []


def test_the_pods_that_may_take_the_role_are_those_of_the_trust_policy(terraform: Terraform) -> None:
    """As `files ram/trust.json` has it, filled in: one provider, one issuer, one service account."""
    plan = terraform.plan(rrsa=_RRSA)
    role = plan.resource('alicloud_ram_role.this["worker"]')
    text = (policies.FOLDER / "trust.json").read_text("utf-8")
    text = text.replace("<account-id>", "1").replace("ack-rrsa-<cluster-id>", "ack-rrsa-c1")
    wanted = json.loads(re.sub(r"<issuer[^>]*>", "https://issuer/c1", text))
    assert json.loads(role["assume_role_policy_document"]) == wanted
    attached = plan.resource('alicloud_ram_role_policy_attachment.this["worker"]')
    assert (attached["role_name"], attached["policy_name"]) == (role["role_name"], "config-remediator")


def test_instances_may_take_it_only_if_it_is_said(terraform: Terraform) -> None:
    """ECS as a service, beside the pods or alone."""
    for given, services in (({"ecs_ram_role": True}, 1), ({"ecs_ram_role": True, "rrsa": _RRSA}, 2)):
        document = terraform.plan(**given).resource('alicloud_ram_role.this["worker"]')["assume_role_policy_document"]
        statements = json.loads(document)["Statement"]
        assert len(statements) == services
        assert statements[-1]["Principal"] == {"Service": ["ecs.aliyuncs.com"]}


def test_a_policy_of_one_s_own_is_taken_as_it_is(terraform: Terraform) -> None:
    """What `ram-policy` prints for the configuration, without the white space that counts toward RAM's limit."""
    own = (policies.FOLDER / "worker-enforcing-all.json").read_text("utf-8")
    planned = terraform.plan(worker_policy=own).resource('alicloud_ram_policy.this["worker"]')["policy_document"]
    assert json.loads(planned) == json.loads(own)
    assert len(planned) < len(json.dumps(json.loads(own)))


def test_the_channel_can_be_somebody_else_s_and_carry_everything(terraform: Terraform) -> None:
    """An account group's channel delivers to the topic by its ARN; no types are no condition."""
    plan = terraform.plan(create_delivery_channel=False)
    assert not plan.has("alicloud_config_delivery.this[0]")
    assert plan.outputs()["topic_arn"] == "acs:mns:ap-southeast-1:1234567890123456:/topics/config-topic"
    plan = terraform.plan(resource_types=[])
    assert plan.resource("alicloud_config_delivery.this[0]")["delivery_channel_condition"] is None


def test_the_output_begins_a_configuration(terraform: Terraform, tmp_path: Path) -> None:
    """With a rule below it is whole, and names what the module makes."""
    outputs = terraform.plan(subscription_name="other").outputs()
    (tmp_path / "config.toml").write_text(outputs["config"] + _RULE, encoding="utf-8")
    config = load(tmp_path / "config.toml", {})
    assert config.account_id == "1234567890123456"
    assert config.queue.region == "ap-southeast-1"
    assert (config.queue.name, config.queue.dead_letter_queue) == (
        outputs["queue_name"],
        outputs["dead_letter_queue_name"],
    )
    assert outputs["topic_arn"].endswith(f":/topics/{config.topic.name}")
    assert config.subscription_name == "other"
    assert (
        outputs["queue_url"] == f"https://1234567890123456.mns.ap-southeast-1.aliyuncs.com/queues/{config.queue.name}"
    )


def test_the_policies_templates_are_what_the_command_makes() -> None:
    """`python -m deploy.ram` writes them."""
    assert sorted(policies.TEMPLATES) == sorted(MODULE.glob("*.tftpl"))
    for path, purpose in policies.TEMPLATES.items():
        assert path.read_text("utf-8") == policies.template(purpose)


def test_the_job_that_catches_up_has_a_role_of_its_own(terraform: Terraform) -> None:
    """Which its own service account may take and the worker's may not, and which touches no bucket."""
    plan = terraform.plan(rrsa=_RRSA, catch_up=True)
    subjects = {}
    for key in ("worker", "catch_up"):
        role = plan.resource(f'alicloud_ram_role.this["{key}"]')
        (statement,) = json.loads(role["assume_role_policy_document"])["Statement"]
        subjects[role["role_name"]] = statement["Condition"]["StringEquals"]["oidc:sub"]
        attached = plan.resource(f'alicloud_ram_role_policy_attachment.this["{key}"]')
        assert attached["role_name"] == attached["policy_name"] == role["role_name"]
    assert subjects == {
        name: [f"system:serviceaccount:config-remediator:{name}"]
        for name in ("config-remediator", "config-remediator-catch-up")
    }
    document = json.loads(plan.resource('alicloud_ram_policy.this["catch_up"]')["policy_document"])
    actions = {action for statement in document["Statement"] for action in statement["Action"]}
    assert not any(action.startswith("oss:") for action in actions)


@pytest.mark.parametrize("page", ["deploy/terraform/README.md", "docs/install.md"])
def test_the_file_of_the_page_works(tmp_path: Path, page: str) -> None:
    """The one in a repository of one's own is planned as it stands, but for where the module comes from."""
    text = (ROOT / page).read_text("utf-8")
    (root,) = re.findall(r"^```hcl\n(terraform \{.*?)^```", text, re.MULTILINE | re.DOTALL)
    address = "git::https://github.com/OWNER/REPOSITORY.git//deploy/terraform?ref=v0.1.0"
    assert address in root
    (tmp_path / "worker-policy.json").write_text(
        (policies.FOLDER / "worker-enforcing.json").read_text("utf-8"), "utf-8"
    )
    with module(tmp_path, root=root.replace(address, "./module")) as made:
        assert made.run("fmt", "-check", "-diff", "main.tf").stdout == ""
        assert made.validate() == []
        plan = made.plan()
    assert plan.has('module.config_remediator.alicloud_ram_role.this["worker"]')
    assert "config" in plan.outputs()


@pytest.mark.parametrize("page", ["deploy/terraform/README.md", "docs/install.md"])
def test_who_uses_the_module_pins_the_provider(page: str) -> None:
    """A root module names a major version and has the lock file committed; a module names what it works with."""
    text = (ROOT / page).read_text("utf-8")
    (pinned,) = re.findall(r'source += "aliyun/alicloud"\n +version = "~> (1\.\d+)"\n', text)
    assert f">= {pinned}.0, < 2.0.0" in (MODULE / "versions.tf").read_text("utf-8")
    assert "`.terraform.lock.hcl`" in text
