"""A small Cloud Config: managed rules for buckets and security groups, their verdicts, and the messages it delivers."""
