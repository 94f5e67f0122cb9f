"""An alias of before there was `consumer.plugin`; import from that."""

from consumer.remediations.oss._policy import PolicyRepair, PolicyState

__all__ = ["PolicyRepair", "PolicyState"]
