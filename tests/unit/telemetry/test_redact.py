"""Secrets never come out, wherever they were put in."""

from __future__ import annotations

import base64
import io
import json
import logging
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.aliyun.credentials import Credentials
from consumer.core.observers import ApiCall, LeaseRenewal, Retry, SettleError
from consumer.core.outcome import Ending, Outcome
from consumer.telemetry import log
from consumer.telemetry.redaction import REDACTED, Redactor, SecretRegisteringProvider
from tests.unit.telemetry.records import event, message, report

_SECRET = 'kR7/q+W"3x\\Zt9=LmP2vB8nY4cA6dE'
_TOKEN = "CAISxyz0123456789+/TokenOfAnHour=="
_SIGNATURE = base64.b64encode(b"twenty bytes of hmac").decode()


class Provider:
    """Credentials that were made up."""

    def get_credentials(self) -> Credentials:
        return Credentials("LTAI5tExample", _SECRET, _TOKEN)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Where the log goes, with a redactor that has learned the credentials by their being asked for."""
    fresh = Redactor()
    monkeypatch.setattr(log, "redactor", fresh)
    SecretRegisteringProvider(Provider(), fresh).get_credentials()
    return io.StringIO()


def _spellings(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]}


def _leaks(text: str) -> list[str]:
    spellings = [*_spellings(_SECRET), *_spellings(_TOKEN), _SIGNATURE]
    return [spelling for spelling in spellings if spelling in text]


@pytest.mark.parametrize("format_", ["json", "console"])
@pytest.mark.parametrize("secret", [_SECRET, _TOKEN])
def test_no_record_can_carry_a_secret_into_the_log(stream: io.StringIO, format_: str, secret: str) -> None:
    """A secret in any field of any record, at debug, costs that field and nothing else."""
    log.configure(format_, "debug", stream)
    listener = log.LogListener()
    told = f"the service said {secret}, and more"
    listener.api_call(ApiCall(told, told, told, 0.1, told))
    listener.retry(Retry(told, told, told, 0.1))
    listener.renewal(LeaseRenewal(told, told))
    listener.settle_error(SettleError(told, told, told))
    ending = Ending(Outcome.FAILED, told, told, told, told, told)
    named = event(resource_id=told, region=told, account_id=told, request_id=told, config_rule_id=told)
    listener.report(report(Outcome.FAILED, message=message(message_id=told), ending=ending, event=named))
    assert _leaks(stream.getvalue()) == []
    assert len(stream.getvalue().splitlines()) == 5
    assert "delivery.settled" in stream.getvalue()


@pytest.mark.parametrize("spelled", sorted(_spellings(_SECRET) | _spellings(_TOKEN)))
def test_a_secret_is_known_in_every_spelling(stream: io.StringIO, spelled: str) -> None:
    """In a URL, in JSON and in a Python text it looks different and is the same."""
    log.configure("json", "debug", stream)
    log.get_logger("app").info("app.odd", value=f"x={spelled}&y", nested={"list": [spelled]}, **{spelled: 1})
    log.get_logger("app").info(f"event with {spelled}")
    assert spelled not in stream.getvalue()
    assert json.dumps(spelled)[1:-1] not in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        f"GET /?Signature={quote(_SIGNATURE)}&Expires=1",
        f"Authorization: MNS LTAI5tExample:{_SIGNATURE}",
        f"sent OSS LTAI5tExample:{_SIGNATURE}",
        f"{{'authorization': 'acs LTAI5tExample:{_SIGNATURE}'}}",
        f"<SignatureProvided>{_SIGNATURE}</SignatureProvided>",
        f'{{"x-oss-signature": "{_SIGNATURE}"}}',
        f"OSS4-HMAC-SHA256 Credential=LTAI5tExample/20261123,Signature={_SIGNATURE}",
        "x-oss-security-token: CAISother",
        "security-token=CAISother",
        "Max retries exceeded with url: /?Action=AssumeRoleWithOIDC&OIDCToken=eyJhbGciOi.eyJpc3Mi.c2ln&RoleArn=x",
        "access_key_secret = 'abc'",
        "AccessKeySecret: abc",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_what_carries_a_credential_is_dropped_unread(text: str) -> None:
    """A header, a query, a reply's XML or a repr that shows one is dropped whole, though nobody learned it."""
    assert Redactor().clean(text) == REDACTED


@pytest.mark.parametrize(
    "text",
    [
        "oss GetBucketInfo: SignatureDoesNotMatch: The request signature we calculated does not match (request 5F29)",
        "mns BatchReceiveMessage: InvalidSecurityToken: the token has expired",
        "no credentials: CredentialException",
        "no credentials: AuthenticationFail.OIDCToken.Expired",
        "working on message 5F290C926D472878-2-14D9529A8FA-200000001",
    ],
)
def test_what_an_operator_needs_is_kept(text: str) -> None:
    """An error about a signature or a token is not one."""
    assert Redactor().clean(text) == text


@pytest.mark.parametrize(
    "name",
    [
        *("secret", "access_key_secret", "SecurityToken", "Authorization", "password", "passwd", "Cookie"),
        *("signature", "credential", "api_key", "api-key", "APIKEY", "private_key", "private-key", "privateKey"),
    ],
)
def test_what_is_named_like_a_credential_is_dropped(name: str) -> None:
    """Whatever its value, at any depth; an empty one tells that it is empty."""
    redactor = Redactor()
    assert not redactor.harmless(json.dumps({name: "abc"}))
    assert redactor.clean_fields({name: "abc", "nested": [{name: 12345}]}) == {
        name: REDACTED,
        "nested": [{name: REDACTED}],
    }
    assert redactor.clean_fields({name: ""}) == {name: ""}


_pieces = st.lists(
    st.sampled_from(
        [
            *("OSS", "mns", "acs", " ", "\u2003", "\t", ":", "=", ">", '"', "LTAI5tExample", _SIGNATURE, "CAISother"),
            *(
                "Authorization",
                "SIGNATURE",
                "\u017fignature",
                "Provided",
                "string",
                "_to_",
                "Sign",
                "password",
                "private",
            ),
            *(
                "-",
                "key",
                "invalid",
                "security",
                "to\u212aen",
                "Token",
                "secret",
                "access_",
                "OSS4-HMAC-SHA256",
                "-----BEGIN",
            ),
            *(
                "api",
                "cookie",
                "Credential",
                "passwd",
                "private-read",
                "oss.bucket-acl",
                _SECRET,
                json.dumps(_SECRET)[1:-1],
            ),
        ]
    ),
    max_size=6,
).map("".join)
_values = st.recursive(
    st.one_of(_pieces, st.none(), st.integers()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_pieces, inner, max_size=3)),
    max_leaves=4,
)


@given(fields=st.dictionaries(_pieces, _values, max_size=5))
def test_one_look_at_a_whole_line_is_as_strict_as_a_look_at_each_part(fields: dict[str, Any]) -> None:
    """The short way for harmless lines never lets through what the long way would drop."""
    redactor = Redactor()
    redactor.learn(_SECRET, _TOKEN)
    if redactor.harmless(json.dumps(fields)):
        assert redactor.clean_fields(fields) == fields


def test_a_line_as_it_is_usually_written_is_known_to_be_harmless(stream: io.StringIO) -> None:
    """Otherwise the short way would never be taken."""
    log.configure("json", "info", stream)
    log.LogListener().report(report(Outcome.FIXED))
    assert log.redactor.harmless(stream.getvalue().strip())


def test_an_exception_is_cleaned_with_its_traceback(stream: io.StringIO) -> None:
    """A secret in an exception's text costs the traceback."""
    log.configure("json", "debug", stream)
    try:
        raise ValueError(f"cannot sign with {_SECRET}")
    except ValueError:
        log.get_logger("app").exception("app.failed")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["exception"]) == ("app.failed", REDACTED)


def test_a_vendors_warning_is_cleaned_too(stream: io.StringIO) -> None:
    """What a vendor's library says goes through the same net."""
    log.configure("json", "debug", stream)
    logging.getLogger("urllib3.connectionpool").warning("Retrying /bucket?acl&Signature=%s", quote(_SIGNATURE))
    logging.getLogger("oss2").error("body %s", {"token": _TOKEN})
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [REDACTED, REDACTED]


def test_an_object_shows_only_a_clean_text_form(stream: io.StringIO) -> None:
    """Credentials hide themselves; an object that does not is caught by its text."""

    class Careless:
        def __repr__(self) -> str:
            return f"Careless({_TOKEN!r})"

    log.configure("json", "debug", stream)
    log.get_logger("app").info("app.odd", first=Provider().get_credentials(), second=Careless())
    assert _leaks(stream.getvalue()) == []


def test_renewed_credentials_are_learned_and_old_ones_forgotten_in_the_end() -> None:
    """Temporary credentials change for ever, so memory of them is bounded."""
    redactor = Redactor()
    for number in range(2_000):
        redactor.learn(f"secret-number-{number:04}")
    assert redactor.clean("secret-number-1999") == REDACTED
    assert redactor.clean("secret-number-0000") == "secret-number-0000"


def test_an_empty_secret_does_not_empty_the_log() -> None:
    """Credentials without a token have an empty one, which is part of every text."""
    redactor = Redactor()
    redactor.learn("", "abc")
    assert redactor.clean("abc of logging") == "abc of logging"
