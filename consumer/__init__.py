"""config-remediator: repairs what Alibaba Cloud Config reports, and deletes a message only on success."""

__version__ = "0.1.0"
