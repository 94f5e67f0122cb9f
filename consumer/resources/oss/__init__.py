"""OSS buckets: what a bucket can be asked, and what its settings and policies mean."""
