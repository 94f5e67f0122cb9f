"""Everything one emulator consists of, wired: the world, the two services, and Cloud Config watching them."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.cloudconfig.inventory import OssInventory
from emulator.cloudconfig.service import CloudConfig
from emulator.identity import AccessKey
from emulator.mns import MnsService
from emulator.oss import OssService
from emulator.world import World


@dataclass(frozen=True, slots=True)
class Emulation:
    """The parts, for the ports that serve them and for the control port that steers them."""

    world: World
    mns: MnsService
    oss: OssService
    config: CloudConfig
    initial_keys: tuple[AccessKey, ...]
    """What a reset goes back to."""

    @classmethod
    def create(cls, world: World) -> Emulation:
        """Wire a fresh emulation; Cloud Config judges buckets from now on."""
        mns, oss = MnsService(world), OssService(world)
        config = CloudConfig(world, mns.publish, OssInventory(oss.buckets))
        oss.on_change(config.changed)
        return cls(world, mns, oss, config, tuple(world.identities.all()))
