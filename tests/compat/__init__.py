"""Other people's test suites, run unmodified against the emulator, and compared with what is expected of them.

`make compat` fetches them from the package registries that pip is set up for, into a directory that is deleted
afterwards: none of their code is kept here. pytest collects nothing in this package.
"""
