"""The Cloud Config API at the control port, asked as its SDK asks: in a query or a form, signed by version 3."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from emulator.client import Emulator
from tests.patience import PATIENCE_SECONDS

START, LIST = "StartConfigRuleEvaluationByResource", "ListResourceEvaluationResults"
READ_RULE = "oss-bucket-public-read-prohibited"


def ask(emulator: Emulator, action: str, **asked: str) -> dict[str, Any]:
    """One request, signed with the emulator's own key; the SDK writes a form to start, and a query to list."""
    if action == START:
        return send(emulator, signed(emulator, action, {}, form=urlencode(asked).encode()))
    return send(emulator, signed(emulator, action, asked))


def signed(
    emulator: Emulator, action: str, query: dict[str, str], form: bytes = b"", **changed: str
) -> urllib.request.Request:
    """A signed request; changes to headers come before the signature, as a client with other ideas makes them."""
    url = emulator.control.url
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "host": urlsplit(url).netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(form).hexdigest(),
        "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": "f4c5",
        "x-acs-version": "2020-09-07",
        **{name.replace("_", "-"): text for name, text in changed.items()},
    }
    asked = "&".join(f"{name}={quote(text, safe='~')}" for name, text in sorted(query.items()))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    names = ";".join(sorted(headers))
    canonical = f"POST\n/\n{asked}\n{lines}\n{names}\n{headers['x-acs-content-sha256']}"
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = emulator.endpoints
    signature = hmac.new(key.access_key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    authorization = f"ACS3-HMAC-SHA256 Credential={key.access_key_id},SignedHeaders={names},Signature={signature}"
    headers["Authorization"] = authorization
    return urllib.request.Request(f"{url}/?{asked}", form, headers=headers, method="POST")


def send(emulator: Emulator, request: urllib.request.Request) -> dict[str, Any]:
    """The answer, or the refusal with its status."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            found = {**json.load(refused), "status": refused.code}
    return found


def results(answer: dict[str, Any]) -> dict[str, str]:
    """Compliance by rule."""
    return {
        result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ConfigRuleId"]: result["ComplianceType"]
        for result in answer["EvaluationResults"]["EvaluationResultList"]
    }


def test_what_was_recorded_is_listed_and_an_evaluation_records_anew(emulator: Emulator) -> None:
    """A rule that came later has found nothing until the bucket is evaluated again."""
    rule = emulator.config.add_rule(READ_RULE, rule_id="cr-read")
    emulator.config.set_channel(delay_seconds=3_600)
    emulator.create_buckets(["photos"], acl="public-read")
    assert results(ask(emulator, LIST, ResourceId="photos")) == {}
    assert ask(emulator, START, ResourceId="photos")["RequestId"]
    assert results(ask(emulator, LIST, ResourceId="photos"))[rule] == "NON_COMPLIANT"

    emulator.change_bucket("photos", acl="private")
    assert results(ask(emulator, LIST, ResourceId="photos"))[rule] == "NON_COMPLIANT"
    ask(emulator, START, ResourceId="photos")
    assert results(ask(emulator, LIST, ResourceId="photos"))[rule] == "COMPLIANT"


def test_a_result_says_when_and_why(emulator: Emulator) -> None:
    """In the service's own names, with the annotation of what is wrong."""
    emulator.config.add_rule(READ_RULE, rule_id="cr-read")
    emulator.create_buckets(["photos"], acl="public-read", region="cn-beijing")
    ask(emulator, START, ResourceId="photos")
    answer = ask(emulator, LIST, ResourceId="photos", ComplianceType="NON_COMPLIANT", Region="cn-beijing")
    result = next(
        found
        for found in answer["EvaluationResults"]["EvaluationResultList"]
        if found["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ConfigRuleId"] == "cr-read"
    )
    assert json.loads(result["Annotation"])["configuration"] == "public-read"
    assert (result["RiskLevel"], result["InvokingEventMessageType"]) == (1, "Manual")
    identifier = result["EvaluationResultIdentifier"]
    assert identifier["OrderingTimestamp"] == result["ResultRecordedTimestamp"] > 1_600_000_000_000
    assert identifier["EvaluationResultQualifier"]["RegionId"] == "cn-beijing"
    assert results(ask(emulator, LIST, ResourceId="photos", Region="cn-hangzhou")) == {}


def test_pages_follow_their_token(emulator: Emulator) -> None:
    """Two rules on two pages, and no token on the last."""
    emulator.create_buckets(["photos"])
    ask(emulator, START, ResourceId="photos")
    first = ask(emulator, LIST, ResourceId="photos", MaxResults="1")
    token = first["EvaluationResults"]["NextToken"]
    second = ask(emulator, LIST, ResourceId="photos", MaxResults="1", NextToken=token)
    assert len(results(first) | results(second)) == 2
    assert "NextToken" not in second["EvaluationResults"]


@pytest.mark.parametrize(
    ("action", "query", "status", "code"),
    [
        ("StartRemediation", {"ResourceId": "photos"}, 404, "InvalidAction.NotFound"),
        (START, {}, 400, "MissingResourceId"),
        (LIST, {"ResourceId": "photos", "MaxResults": "101"}, 400, "InvalidParameter.MaxResults"),
        (LIST, {"ResourceId": "photos", "NextToken": "x"}, 400, "InvalidParameter.NextToken"),
    ],
)
def test_what_is_wrong_is_refused(
    emulator: Emulator, action: str, query: dict[str, str], status: int, code: str
) -> None:
    """With the status and the code in the services' own form."""
    answer = ask(emulator, action, **query)
    assert (answer["status"], answer["Code"]) == (status, code)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"x_acs_date": "2020-01-01T00:00:00Z"}, "InvalidTimeStamp.Expired"),
        ({"x_acs_date": "now"}, "InvalidTimeStamp.Format"),
        ({"x_acs_content_sha256": "0" * 64}, "SignatureDoesNotMatch"),
        ({"x_acs_version": "2019-01-08"}, "InvalidAction.NotFound"),
    ],
)
def test_what_is_signed_has_to_be_right(emulator: Emulator, changed: dict[str, str], code: str) -> None:
    """Time, body and version, even when the signature fits them."""
    assert send(emulator, signed(emulator, LIST, {"ResourceId": "photos"}, **changed))["Code"] == code


def test_the_signature_binds_the_request(emulator: Emulator) -> None:
    """A request about another bucket, without a signature, or by a key that nobody knows."""
    other = signed(emulator, START, {"ResourceId": "photos"})
    other.full_url = other.full_url.replace("photos", "videos")
    assert send(emulator, other)["Code"] == "SignatureDoesNotMatch"
    bare = signed(emulator, START, {"ResourceId": "photos"})
    bare.remove_header("Authorization")
    assert send(emulator, bare)["Code"] == "MissingAuthorization"
    emulator.remove_identity(emulator.endpoints.access_key_id)
    assert ask(emulator, START, ResourceId="photos")["Code"] == "InvalidAccessKeyId.NotFound"
    assert emulator.journal(operation=START) == []
