"""An alias of before there was `consumer.plugin`; import from that."""

from consumer.resources.oss.bucket import Bucket, BucketInfo, Resource

__all__ = ["Bucket", "BucketInfo", "Resource"]
