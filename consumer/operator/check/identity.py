"""Whether there are credentials of our own to sign with, or a finding that says what to do about it."""

from __future__ import annotations

from consumer.aliyun.credentials import CredentialsProvider
from consumer.config import Config
from consumer.core.errors import ConfigurationError, CredentialsUnavailable
from consumer.operator.check.findings import CheckResult, failed
from consumer.operator.session import own_credentials

CREDENTIALS = "credentials"


def credentials_or_why(config: Config) -> CredentialsProvider | CheckResult:
    """The credentials that the worker would sign with, or why there are none."""
    try:
        return own_credentials(config)
    except ConfigurationError as error:
        return failed(CREDENTIALS, str(error), error.remedy)
    except CredentialsUnavailable as error:
        return failed(CREDENTIALS, str(error.args[0]), "try again; a worker waits for it, alive and not ready")
