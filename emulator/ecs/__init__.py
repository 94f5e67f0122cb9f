"""The security groups of ECS: the emulated API, what it keeps, and its table of refusals."""

from emulator.ecs.service import EcsService

__all__ = ["EcsService"]
