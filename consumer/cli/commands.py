"""The operator's commands as the command line knows them: options and help, nothing else.

Each module here imports in no time, so that `--help` answers at once; what a command does stands in
`consumer.operator` and is imported when it runs.
"""

from __future__ import annotations

import click

from consumer.cli.bundled import completion, demo, emulator, files
from consumer.cli.catch_up import catch_up
from consumer.cli.check import check, provision
from consumer.cli.config import config
from consumer.cli.dlq import dlq
from consumer.cli.explain import explain
from consumer.cli.journal import journal, undo
from consumer.cli.peek import peek
from consumer.cli.repair import repair
from consumer.cli.report import report
from consumer.cli.rules import ram_policy, rules
from consumer.cli.simulate import simulate
from consumer.cli.watch import watch

COMMANDS: tuple[click.Command, ...] = (
    check,
    provision,
    catch_up,
    peek,
    simulate,
    watch,
    dlq,
    journal,
    undo,
    explain,
    repair,
    report,
    config,
    rules,
    ram_policy,
    files,
    completion,
    demo,
    emulator,
)
"""Everything besides `run`."""
