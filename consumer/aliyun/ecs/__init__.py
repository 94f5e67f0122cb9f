"""The ECS gateway: security groups through the vendor's generic client."""
