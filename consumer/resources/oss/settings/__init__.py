"""What can be configured on a bucket besides its ACL: one file for each setting, found by itself.

A new setting is one file here that holds a `Setting`, and nothing else: `consumer.resources.oss.settings.catalogue`
finds it, the gateway reads and writes it, a simulation keeps it, and policies name its actions. The records stand here
as well, under the names that packages of somebody else's have imported.

Operations: https://www.alibabacloud.com/help/en/oss/developer-reference/bucket-operations
"""

from __future__ import annotations

from consumer.resources.oss.settings.access_logs import Logging
from consumer.resources.oss.settings.encryption import Encryption
from consumer.resources.oss.settings.https_config import CipherSuite, HttpsConfig
from consumer.resources.oss.settings.redundancy import Transition
from consumer.resources.oss.settings.referer import Referer

__all__ = ["CipherSuite", "Encryption", "HttpsConfig", "Logging", "Referer", "Transition"]
