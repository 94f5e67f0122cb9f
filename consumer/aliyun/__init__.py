"""The only package that imports a vendor's SDK; its errors are translated here, once."""
