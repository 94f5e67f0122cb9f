"""An alias of before there was `consumer.plugin`; import from that."""

from consumer.remediations.oss._setting import Notation, SettingRepair

__all__ = ["Notation", "SettingRepair"]
