"""An alias of before there was `consumer.plugin`; import from that."""

from consumer.resources.base import Resource
from consumer.resources.oss.bucket import Bucket, BucketInfo

__all__ = ["Bucket", "BucketInfo", "Resource"]
