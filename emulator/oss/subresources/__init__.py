"""The bucket's sub-resources, one module each; every module lists its rows of the routing table."""
