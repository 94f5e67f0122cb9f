"""Everything one emulator consists of, wired: the world, the services, and Cloud Config watching them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from emulator.cloudconfig.configuration import BUCKET, SECURITY_GROUP
from emulator.cloudconfig.inventory import EcsInventory, OssInventory
from emulator.cloudconfig.service import CloudConfig, Inventory
from emulator.ecs import EcsService
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
    ecs: EcsService
    config: CloudConfig
    initial_keys: tuple[AccessKey, ...]
    """What a reset goes back to."""

    @classmethod
    def create(cls, world: World) -> Emulation:
        """Wire a fresh emulation; Cloud Config judges buckets and security groups from now on."""
        mns, oss, ecs = MnsService(world), OssService(world), EcsService(world)
        inventories: dict[str, Inventory] = {
            BUCKET: OssInventory(oss.buckets),
            SECURITY_GROUP: EcsInventory(ecs.groups),
        }
        config = CloudConfig(world, mns.publish, inventories)
        oss.on_change(partial(config.changed, BUCKET))
        ecs.on_change(partial(config.changed, SECURITY_GROUP))
        return cls(world, mns, oss, ecs, config, tuple(world.identities.all()))
