"""The emulated Message Service (MNS, now SMQ): queues, topics and the account, over HTTP."""

from emulator.mns.service import MnsService

__all__ = ["MnsService"]
