"""What is measured, each a program of its own that serves until it is killed.

Programs of this package are what somebody would write with the named library, as well as that library allows; none of
them has the worker's safety. `product` only writes the worker's configuration: the worker itself is started as it is.
"""
