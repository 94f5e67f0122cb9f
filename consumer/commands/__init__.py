"""The operator's commands as the command line knows them: options and help, nothing else.

Each module here imports in no time, so that `--help` answers at once; what a command does stands in
`consumer.operator` and is imported when it runs.
"""

from __future__ import annotations

import click

from consumer.commands.catalogue import ram_policy, rules
from consumer.commands.channel import check, provision
from consumer.commands.configuration import config
from consumer.commands.dlq import dlq
from consumer.commands.journal import journal, undo
from consumer.commands.messages import peek
from consumer.commands.simulation import simulate
from consumer.commands.watching import watch

COMMANDS: tuple[click.Command, ...] = (
    check,
    provision,
    peek,
    simulate,
    watch,
    dlq,
    journal,
    undo,
    config,
    rules,
    ram_policy,
)
"""Everything besides `run`."""
