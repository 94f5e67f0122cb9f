"""What the service says when it refuses: the table of codes, and the refusal that handlers raise.

Codes, statuses, messages and EC numbers are those of the service's error reference
(https://www.alibabacloud.com/help/en/oss/user-guide/overview-14 and the page of each EC); an EC that is not
published stays empty, and the answer then has neither `<EC>` nor `<RecommendDoc>`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """The usual form of one error code."""

    status: int
    message: str
    ec: str = ""


TABLE: dict[str, Known] = {
    "AccessDenied": Known(403, "AccessDenied"),
    "BucketAlreadyExists": Known(
        409,
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again.",
        "0015-00000104",
    ),
    "BucketNotEmpty": Known(409, "The bucket has objects. Please delete them first.", "0015-00000301"),
    "InternalError": Known(500, "Please contact the server administrator, oss@service.aliyun.com."),
    "InvalidAccessKeyId": Known(
        403, "The OSS Access Key Id you provided does not exist in our records.", "0002-00000002"
    ),
    "InvalidArgument": Known(400, "Invalid Argument."),
    "InvalidBucketName": Known(400, "The specified bucket is not valid.", "0015-00000001"),
    "InvalidDigest": Known(400, "The Content-MD5 you specified was invalid.", "0017-00000503"),
    "InvalidEncryptionAlgorithmError": Known(
        400, "The Encryption request you specified is not valid. Supported value: AES256/KMS/SM4.", "0005-00000003"
    ),
    "InvalidObjectName": Known(400, "The specified object is not valid."),
    "InvalidPolicyDocument": Known(400, "Invalid policy document.", "0030-00000005"),
    "InvalidSecurityToken": Known(403, "The security token you provided is invalid."),
    "InvalidTargetBucketForLogging": Known(
        400, "The target bucket for logging does not exist, is not owned by you, or is in another region."
    ),
    "MalformedXML": Known(
        400,
        "The XML you provided was not well-formed or did not validate against our published schema.",
        "0031-00000001",
    ),
    "MethodNotAllowed": Known(405, "The specified method is not allowed against this resource."),
    "MissingArgument": Known(400, "Missing Some Required Arguments.", "0016-00000502"),
    "NotModified": Known(304, "The object has not been modified."),
    "NotImplemented": Known(501, "The operation is not implemented by this emulator."),
    "NoSuchBucket": Known(404, "The specified bucket does not exist.", "0015-00000101"),
    "NoSuchBucketPolicy": Known(404, "The bucket policy does not exist.", "0030-00000006"),
    "NoSuchKey": Known(404, "The specified key does not exist.", "0026-00000001"),
    "NoSuchServerSideEncryptionRule": Known(404, "The server side encryption configuration does not exist."),
    "PreconditionFailed": Known(412, "At least one of the pre-conditions you specified did not hold."),
    "RequestTimeTooSkewed": Known(
        403, "The difference between the request time and the current time is too large.", "0002-00000504"
    ),
    "SecondLevelDomainForbidden": Known(
        403, "The bucket you are attempting to access must be addressed using OSS third level domain."
    ),
    "SecurityTokenExpired": Known(403, "The security token you provided has expired."),
    "SignatureDoesNotMatch": Known(
        403,
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
        "0002-00000040",
    ),
    "TooManyBuckets": Known(400, "You have attempted to create more buckets than allowed."),
}


class Refusal(Exception):
    """The service refuses the request; carries all that its error body says."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        ec: str | None = None,
        **details: str,
    ) -> None:
        """Take what is left out from the table; `details` become elements between HostId and EC, in order."""
        known = TABLE.get(code, Known(400, code))
        self.code = code
        self.status = known.status if status is None else status
        self.message = known.message if message is None else message
        self.ec = known.ec if ec is None else ec
        self.details = details
        self.headers: list[tuple[str, str]] = []
        """Headers that this refusal has besides those of every answer."""
        super().__init__(f"{self.status} {code}: {self.message}")


def invalid_argument(name: str, value: str, message: str = "Invalid Argument.", *, ec: str = "") -> Refusal:
    """The refusal of one argument's value, naming both."""
    return Refusal("InvalidArgument", message, ec=ec, ArgumentName=name, ArgumentValue=value)
