"""OSS buckets: what can be read of a bucket and written, and what its settings and policies mean."""
