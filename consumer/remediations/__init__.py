"""The repairs. `base` says what one is, `catalogue` finds them, one file per repair in the package of its resource."""
