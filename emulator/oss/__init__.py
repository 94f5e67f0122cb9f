"""The emulated Object Storage Service: bucket configuration as the service speaks it, and objects in small.

Everything is kept in memory. `OssService` is the only name other packages need; `Bucket` is what it hands out
to those who look inside (the control port and the emulated Cloud Config).
"""

from emulator.oss.bucket import Bucket
from emulator.oss.service import OssService

__all__ = ["Bucket", "OssService"]
