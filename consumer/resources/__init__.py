"""What can be read of each kind of resource and written, without any vendor's SDK."""
