"""Every way in which the emulated OSS refuses, one row each.

A page of an EC is https://www.alibabacloud.com/help/en/oss/user-guide/ followed by the EC; other pages are named by
their last part below https://www.alibabacloud.com/help/en/oss/.
"""

from __future__ import annotations

from enum import Enum

from emulator.codes import Known, Row

_R, _D, _S, _A = Known.RECORDED, Known.DOCUMENTED, Known.ASSERTED, Known.ASSUMED

_PYTHON = "alibabacloud-oss-v2, integration tests"
_GO = "alibabacloud-oss-go-sdk-v2, integration tests"
_SWIFT = "alibabacloud-oss-swift-sdk-v2, integration tests"
_ELIXIR = "answers in the documentation of the Elixir client aliyun_oss"
_OSS2 = "oss2 2.19.1, tests"
_JAVA = "aliyun-oss-java-sdk, integration tests"
_ERRORS = "support/http-status-code"
_CONFLICTS = "user-guide/http-status-code-409"
_WRITES = "PutObject AppendObject CopyObject PutSymlink InitiateMultipartUpload"

_NO_HEADER = "Authorization header is invalid."
_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)
_NO_UPLOAD = (
    "The specified upload does not exist. The upload ID may be invalid, "
    "or the upload may have been aborted or completed."
)


class Oss(Enum):
    """The table; a member's name is for the code that raises it."""

    # fmt: off
    # Who asks, and when.
    UNKNOWN_KEY = Row("*", "InvalidAccessKeyId", 403,
        "The OSS Access Key Id you provided does not exist in our records.", "0002-00000902", _S, _SWIFT)
    UNKNOWN_TEMPORARY_KEY = Row("*", "InvalidAccessKeyId", 403,
        "The OSS Access Key Id you provided does not exist in our records.", "0002-00000002", _R, "page of the EC")
    WRONG_TOKEN = Row("*", "InvalidSecurityToken", 403, "The security token you provided is invalid.",
        "0002-00000006", _D, f"{_ERRORS}; page of the EC")
    TOKEN_EXPIRED = Row("*", "SecurityTokenExpired", 403, "The security token you provided has expired.",
        "0002-00000007", _R, "https://developer.aliyun.com/ask/553273; page of the EC")
    SIGNATURE_V1 = Row("*", "SignatureDoesNotMatch", 403, _SIGNATURE, "0002-00000040", _D, "page of the EC")
    SIGNATURE_V2 = Row("*", "SignatureDoesNotMatch", 403, _SIGNATURE, "0002-00000101", _D, "page of the EC")
    SIGNATURE_V4 = Row("*", "SignatureDoesNotMatch", 403, _SIGNATURE, "0002-00000201", _D, "page of the EC")
    AUTHORIZATION_SCHEME = Row("*", "InvalidArgument", 400, _NO_HEADER, "0002-00000061", _D, "page of the EC")
    AUTHORIZATION_V1 = Row("*", "InvalidArgument", 400, _NO_HEADER, "0002-00000062", _D, "page of the EC")
    AUTHORIZATION_V2 = Row("*", "InvalidArgument", 400, _NO_HEADER, "0002-00000104", _D, "page of the EC")
    AUTHORIZATION_V4 = Row("*", "InvalidArgument", 400, _NO_HEADER)
    URL_V1_INCOMPLETE = Row("*", "AccessDenied", 403,
        "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters", "", _D, _ERRORS)
    URL_V4_INCOMPLETE = Row("*", "InvalidArgument", 400, "The {0} parameter is missing.")
    URL_V4_LIFETIME = Row("*", "InvalidArgument", 400, "Invalid expires value.")
    CREDENTIAL = Row("*", "InvalidArgument", 400, "Invalid credential in {0}.")
    SIGNING_REGION = Row("*", "InvalidArgument", 400, "Invalid signing region in Authorization header.",
        "0002-00000226", _D, "page of the EC")
    SIGNING_REGION_URL = Row("*", "InvalidArgument", 400, "The signing region in credential is invalid.",
        "0002-00000226", _A)
    SIGNING_PRODUCT = Row("*", "InvalidArgument", 400, "Invalid signing product in {0}.", "0002-00000227", _D,
        "page of the EC")
    SIGNING_DATE = Row("*", "InvalidArgument", 400, "Invalid signing date in {0}.", "0002-00000225", _D,
        "page of the EC")
    NO_DATE = Row("*", "AccessDenied", 403, "OSS authentication requires a valid Date.", "", _D, _ERRORS)
    SKEWED = Row("*", "RequestTimeTooSkewed", 403,
        "The difference between the request time and the current time is too large.", "0002-00000504", _R,
        "page of the EC")
    EXPIRY_NO_NUMBER = Row("*", "AccessDenied", 403, "Invalid date (should be seconds since epoch)", "", _D, _ERRORS)
    URL_EXPIRED = Row("*", "AccessDenied", 403, "Request has expired.", "0002-00000069", _D, "page of the EC")
    ANONYMOUS = Row("*", "AccessDenied", 403, "Anonymous access is forbidden for this operation.", "0003-00001201",
        _D, "page of the EC")
    NOT_YOURS = Row("*", "AccessDenied", 403, "The bucket you access does not belong to you.", "0003-00000001", _R,
        "page of the EC")
    NO_RIGHT = Row("*", "AccessDenied", 403, "You have no right to access this object because of bucket acl.",
        "0003-00000001", _D, "page of the EC")
    OTHER_ENDPOINT = Row("*", "AccessDenied", 403,
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please "
        "send all future requests to this endpoint.", "0003-00001403", _R, "page of the EC")

    # What is addressed.
    NO_BUCKET = Row("*", "NoSuchBucket", 404, "The specified bucket does not exist.", "0015-00000101", _R,
        f"{_ELIXIR}; {_SWIFT}")
    BUCKET_NAME = Row("*", "InvalidBucketName", 400, "The specified bucket is not valid.", "0015-00000001", _D,
        "page of the EC")
    SECOND_LEVEL_DOMAIN = Row("*", "SecondLevelDomainForbidden", 403,
        "The bucket you are attempting to access must be addressed using OSS third level domain.", "", _D, _ERRORS)
    NO_METHOD = Row("*", "MethodNotAllowed", 405, "The specified method is not allowed against this resource.", "",
        _D, _ERRORS)
    NOT_EMULATED = Row("*", "NotImplemented", 501, "The operation is not implemented by this emulator.")
    DIGEST = Row("*", "InvalidDigest", 400, "The Content-MD5 you specified was invalid.", "0017-00000503", _D,
        "page of the EC")
    MALFORMED = Row("*", "MalformedXML", 400,
        "The XML you provided was not well-formed or did not validate against our published schema.", "0031-00000001",
        _D, "page of the EC")
    PAGE_SIZE = Row("List* GetBucket", "InvalidArgument", 400, "Argument {0} must be an integer between 1 and {1}.",
        "", _D, "developer-reference/listobjects")
    PAGE_TOKEN = Row("ListObjects", "InvalidArgument", 400, "The continuation token is invalid.")

    # Buckets.
    ACL = Row("PutBucket PutBucketAcl", "InvalidArgument", 400, "no such bucket access control exists",
        "0015-00000204", _R, f"{_ELIXIR}; {_SWIFT}")
    PUBLIC_ACL = Row("PutBucket PutBucketAcl", "AccessDenied", 403, "Put public bucket acl is not allowed", "", _D,
        "user-guide/block-public-access")
    STORAGE_CLASS = Row("PutBucket", "InvalidArgument", 400, "No such bucket storage class exists.", "0013-00000101",
        _S, _SWIFT)
    REDUNDANCY = Row("PutBucket", "InvalidArgument", 400, "Invalid data redundancy type.")
    NAME_TAKEN = Row("PutBucket PutBucketAcl", "BucketAlreadyExists", 409,
        "The requested bucket name is not available. The bucket namespace is shared by all users of the "
        "system. Please select a different name and try again.", "0015-00000104", _R, f"page of the EC; {_JAVA}")
    LOCATION = Row("PutBucket", "InvalidLocationConstraint", 400, "The specified location-constraint is not valid", "",
        _S, _JAVA)
    OTHER_LOCATION = Row("PutBucket", "BucketAlreadyExists", 409, "Bucket already exists can't modify location.", "",
        _D, _CONFLICTS)
    OTHER_STORAGE_CLASS = Row("PutBucket", "BucketAlreadyExists", 409,
        "Cannot modify existing bucket's storage class.", "", _D, _CONFLICTS)
    OTHER_REDUNDANCY = Row("PutBucket", "BucketAlreadyExists", 409,
        "Bucket already exists can't modify data redundancy type.", "", _D, _CONFLICTS)
    TOO_MANY_BUCKETS = Row("PutBucket PutBucketAcl", "TooManyBuckets", 400,
        "You have attempted to create more buckets than allowed.", "", _D, "developer-reference/putbucket")
    NOT_EMPTY = Row("DeleteBucket", "BucketNotEmpty", 409, "The bucket has objects. Please delete them first.",
        "0015-00000301", _D, "page of the EC")

    # Bucket policy and Block Public Access.
    POLICY_SIZE = Row("PutBucketPolicy", "InvalidPolicyDocument", 400,
        "The size of the policy is not between 1 byte and 16 KB.", "0030-00000001", _D, "page of the EC")
    POLICY_VERSION = Row("PutBucketPolicy", "InvalidPolicyDocument", 400, "The policy's Version is not 1.",
        "0030-00000002", _D, "page of the EC")
    POLICY_ENCODING = Row("PutBucketPolicy", "InvalidPolicyDocument", 400, "The policy is not UTF-8.",
        "0030-00000004", _D, "page of the EC")
    POLICY = Row("PutBucketPolicy", "InvalidPolicyDocument", 400, "{0}", "0030-00000005", _D, "page of the EC")
    POLICY_SOURCE_IP = Row("PutBucketPolicy", "InvalidPolicyDocument", 400,
        "A condition on acs:SourceIp in a bucket policy needs one on acs:SourceVpc as well.", "0030-00000008", _A,
        "the page of the EC has neither status nor code")
    POLICY_SOURCE_IP_DENIED = Row("PutBucketPolicy", "AccessDenied", 403,
        "A condition on acs:SourceIp in a bucket policy needs one on acs:SourceVpc as well.", "0030-00000008", _A,
        "the page of the EC has neither status nor code")
    PUBLIC_POLICY = Row("PutBucketPolicy", "AccessDenied", 403, "Put public bucket policy is not allowed", "", _D,
        "user-guide/block-public-access")
    NO_POLICY = Row("GetBucketPolicy", "NoSuchBucketPolicy", 404, "The bucket policy does not exist.",
        "0030-00000006", _D, "page of the EC")
    NO_ACCESS_POINT = Row("*BucketPublicAccessBlock", "NoSuchAccessPoint", 404, "Accesspoint not found", "", _S,
        _OSS2)

    # Further settings of buckets.
    ENCRYPTION_ALGORITHM = Row("PutBucketEncryption", "InvalidEncryptionAlgorithmError", 400,
        "The Encryption request you specified is not valid. Supported value: AES256/KMS/SM4.", "0005-00000003", _D,
        "page of the EC")
    KMS_KEY_UNUSED = Row("PutBucketEncryption", "InvalidArgument", 400,
        "KMSMasterKeyID is not applicable if SSEAlgorithm is not KMS.", "0005-00000204", _D, "page of the EC")
    KMS_DATA_ENCRYPTION = Row("PutBucketEncryption", "InvalidArgument", 400, "KMSDataEncryption is not valid.")
    NO_ENCRYPTION = Row("GetBucketEncryption", "NoSuchServerSideEncryptionRule", 404,
        "The server side encryption configuration does not exist.", "", _D, "developer-reference/getbucketencryption")
    LOG_TARGET_MISSING = Row("PutBucketLogging", "MalformedXML", 400,
        "The XML you provided was not well-formed or did not validate against our published schema.", "0032-00000002",
        _D, "page of the EC")
    LOG_TARGET_ABSENT = Row("PutBucketLogging", "InvalidTargetBucketForLogging", 400,
        "put bucket log requester is not target bucket owner.", "0032-00000008", _S, f"{_JAVA}; page of the EC")
    LOG_TARGET_OWNER = Row("PutBucketLogging", "InvalidTargetBucketForLogging", 400,
        "The owner for the target bucket for logging does not match.", "0032-00000009", _D, "page of the EC")
    LOG_TARGET_REGION = Row("PutBucketLogging", "InvalidTargetBucketForLogging", 400,
        "The target bucket for logging is in another region.", "0032-00000010", _D, "page of the EC")
    BUCKET_TAG = Row("PutBucketTags", "InvalidTag", 400, "The tag is invalid.", "", _D,
        "developer-reference/putbuckettags")
    BUCKET_TAG_TWICE = Row("PutBucketTags", "InvalidTag", 400, "The tag key is given twice.")
    BUCKET_TAGS = Row("PutBucketTags", "InvalidArgument", 400, "Bucket tags cannot be greater than 20.", "", _D,
        "developer-reference/putbuckettags")
    LIFECYCLE_OVERLAP = Row("PutBucketLifecycle", "InvalidArgument", 400, "Overlap for same action type Expiration",
        "", _S, _OSS2)
    LIFECYCLE_TAG = Row("PutBucketLifecycle", "InvalidArgument", 400, "The lifecycle tag is invalid.", "", _S, _OSS2)
    LIFECYCLE_MIXED = Row("PutBucketLifecycle", "InvalidRequest", 400,
        "Days and CreatedBeforeDate cannot be mixed in one rule.", "", _S, _OSS2)
    LIFECYCLE_CLASS = Row("PutBucketLifecycle", "InvalidArgument", 400, "Invalid storage class for a transition.")
    LIFECYCLE_ORDER = Row("PutBucketLifecycle", "InvalidArgument", 400, "{0}", "", _S, _OSS2)
    LIFECYCLE_DAYS = Row("PutBucketLifecycle", "InvalidArgument", 400, "{0} has to be a positive number.")
    NO_LIFECYCLE = Row("GetBucketLifecycle", "NoSuchLifecycle", 404, "No Row found in Lifecycle Table.", "", _D,
        "developer-reference/getbucketlifecycle")
    CORS_VALUE = Row("PutBucketCors", "InvalidArgument", 400, "Invalid Argument.", "", _S, _OSS2)
    NO_CORS = Row("GetBucketCors", "NoSuchCORSConfiguration", 404, "The CORS Configuration does not exist.", "", _D,
        "developer-reference/getbucketcors")
    PREFLIGHT = Row("OptionObject", "AccessForbidden", 403,
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of "
        "Origin, request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not "
        "whitelisted by the resource's CORS spec.", "", _S, _PYTHON)
    NO_WEBSITE = Row("GetBucketWebsite", "NoSuchWebsiteConfiguration", 404,
        "The specified bucket does not have a website configuration.", "", _D, "developer-reference/getbucketwebsite")
    NO_LOG_FIELDS = Row("GetUserDefinedLogFieldsConfig", "NoSuchUserDefinedLogFieldsConfig", 404,
        "The bucket has no user-defined log fields.")
    NO_ACCELERATION = Row("GetBucketTransferAcceleration", "NoSuchTransferAccelerationConfiguration", 404,
        "The bucket you specified does not have transfer acceleration configuration.", "", _S, _OSS2)
    CAPACITY = Row("PutBucketStorageCapacity", "InvalidArgument", 400, "Invalid Argument.", "", _S, _OSS2)
    NO_WORM = Row("GetBucketWorm", "NoSuchWORMConfiguration", 404, "The WORM Configuration does not exist.", "", _D,
        "developer-reference/getbucketworm")
    NO_REPLICATION = Row("GetBucketReplication", "NoSuchReplicationConfiguration", 404,
        "The bucket you specified does not have replication configuration.", "", _D,
        "developer-reference/getbucketreplication")
    NO_INVENTORY = Row("ListBucketInventory", "NoSuchInventory", 404, "The bucket has no inventory.")
    TRANSITION_TARGET = Row("CreateBucketDataRedundancyTransition", "InvalidArgument", 400,
        "Invalid target redundancy type.")
    TRANSITION_DONE = Row("CreateBucketDataRedundancyTransition", "BucketDataRedundancyTypeNotSupport", 409,
        "The data redundancy type of the bucket is already ZRS.")
    TRANSITION_RUNS = Row("CreateBucketDataRedundancyTransition", "BucketDataRedundancyTransitionTaskAlreadyExist",
        409, "A transition task already exists.")
    NO_TRANSITION = Row("GetBucketDataRedundancyTransition DeleteBucketDataRedundancyTransition",
        "NoSuchBucketDataRedundancyTransitionTask", 404, "The transition task does not exist.")

    # Objects.
    NO_KEY = Row("*Object* *Symlink UploadPart", "NoSuchKey", 404, "The specified key does not exist.",
        "0026-00000001", _R, "page of the EC")
    KEY = Row("PutObject", "InvalidObjectName", 400, "The specified object is not valid.", "", _S, _OSS2)
    OBJECT_ACL = Row("PutObject PutObjectACL", "InvalidArgument", 400, "no such object access control exists", "", _D,
        "developer-reference/putobjectacl")
    PUBLIC_OBJECT_ACL = Row("PutObjectACL", "AccessDenied", 403, "Put public object acl is not allowed", "", _D,
        "user-guide/block-public-access")
    OVERWRITE = Row(_WRITES, "FileAlreadyExists", 409, "The object you specified already exists.", "", _D,
        "developer-reference/putobject")
    OBJECT_TAGS = Row(f"{_WRITES} PutObjectTagging", "InvalidArgument", 400, "Object tags cannot be greater than 10.",
        "", _D, "developer-reference/putobjecttagging")
    OBJECT_TAG = Row(f"{_WRITES} PutObjectTagging", "InvalidTag", 400, "The tag is invalid.", "", _S, _OSS2)
    PRECONDITION = Row("GetObject HeadObject GetObjectMeta PutObject UploadPart", "PreconditionFailed", 412,
        "At least one of the pre-conditions you specified did not hold. (condition={0})", "", _R, "page of the code")
    NOT_MODIFIED = Row("GetObject HeadObject GetObjectMeta PutObject UploadPart", "NotModified", 304,
        "The object has not been modified.", "", _D, "developer-reference/getobject")
    NOT_APPENDABLE = Row("AppendObject", "ObjectNotAppendable", 409, "The object is not appendable", "", _D,
        "developer-reference/appendobject")
    POSITION = Row("AppendObject", "PositionNotEqualToLength", 409, "Position is not equal to file length", "", _D,
        "developer-reference/appendobject")
    POSITION_NO_NUMBER = Row("AppendObject", "InvalidArgument", 400, "Invalid Argument.")
    LINK_WITHOUT_TARGET = Row("PutSymlink", "InvalidArgument", 400, "The symlink target is missing.")
    LINK_TO_NOTHING = Row("GetObject HeadObject GetObjectMeta", "SymlinkTargetNotExist", 404,
        "The symlink target object does not exist.", "", _D, "developer-reference/putsymlink")
    LINK_TO_LINK = Row("GetObject HeadObject GetObjectMeta", "InvalidTargetType", 400,
        "The symlink target is a symlink itself.", "", _D, "developer-reference/putsymlink")
    NOT_A_LINK = Row("GetSymlink", "NotSymlink", 400, "The object you specified is not a symlink.", "", _D,
        "developer-reference/getsymlink")

    # Multipart uploads.
    NO_UPLOAD = Row("CompleteMultipartUpload AbortMultipartUpload ListParts", "NoSuchUpload", 404, _NO_UPLOAD,
        "0042-00000002", _S, _GO)
    NO_UPLOAD_FOR_PART = Row("UploadPart", "NoSuchUpload", 404, _NO_UPLOAD, "0017-00000244", _R, "page of the EC")
    PART_NUMBER = Row("UploadPart", "InvalidArgument", 400,
        "Part number must be an integer between 1 and 10000, inclusive.", "0017-00000220", _R, "page of the EC")
    PART_ORDER = Row("CompleteMultipartUpload", "InvalidPartOrder", 400,
        "The list of parts was not in ascending order.", "0042-00000209", _D, "page of the EC")
    PART_LIST = Row("CompleteMultipartUpload", "MalformedXML", 400,
        "The XML you provided was not well-formed or did not validate against our published schema.", "0042-00000205",
        _S, "alibabacloud-oss-go-sdk-v2, unit tests")
    PART = Row("CompleteMultipartUpload", "InvalidPart", 400,
        "One or more of the specified parts could not be found or the specified entity tag might not "
        "have matched the part's entity tag.", "", _D,
        "oss-reports-an-invalidpart-error-when-using-the-multipart-upload-method")
    # fmt: on
