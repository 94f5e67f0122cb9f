"""Compiles every module below the folders that are named: `python bytecode.py FOLDER…`, with the same bytes each time.

`compileall` would do, but for one thing: what a process has compiled before decides which constants of the next file
are marked as shared, so that two builds of one image differed in a few bytes. Here each file is compiled by a process
that has compiled nothing else. Unchecked, because nothing in an image can change.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from py_compile import PycInvalidationMode, PyCompileError
from py_compile import compile as compile_file


def main(folders: list[str]) -> int:
    """The number of files that cannot be compiled."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.py") if path.is_file())
    return sum(not _compiled(path) for path in paths)


def _compiled(path: Path) -> bool:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return status == 0
    try:
        compile_file(str(path), doraise=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    except (PyCompileError, OSError) as error:
        sys.stderr.write(f"bytecode: {path}: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
