"""What may be asked of each kind of resource, without any vendor's SDK."""
