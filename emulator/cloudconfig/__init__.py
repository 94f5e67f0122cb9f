"""A small Cloud Config: managed rules for OSS buckets, their verdicts, and the messages it delivers."""
