"""docs/scale.md says what follows from its own inputs, and its inputs are those that were measured."""

from __future__ import annotations

import re

from consumer.config.sections.services import QueueConfig
from tests.deploy.needed import ROOT

PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
MEASURED = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its own."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith(("| ", "|--"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def number(cell: str) -> float:
    """The number that a cell begins with."""
    found = re.match(r"[0-9][0-9,.]*", cell)
    assert found, cell
    return float(found[0].replace(",", ""))


INPUTS = [number(value) for _, value, _ in rows("Inputs") if value != "not known"]
RATE, CPU_MS, OSS, MNS, THROTTLE, DAYS, POLL_SECONDS = INPUTS
EVENTS = 1_000_000


def test_the_inputs_are_what_was_measured_and_what_is_configured() -> None:
    """Of the row of the worker as shipped, and of the default of the configuration."""
    (row,) = re.findall(r"^\| \*\*as shipped\*\*.*$", MEASURED, re.MULTILINE)
    rate, cpu = row.split("|")[2:4]
    assert (number(rate.strip()), number(cpu.strip())) == (RATE, CPU_MS)
    assert f"{round(MNS * EVENTS):,}" in MEASURED
    assert QueueConfig.model_fields["wait_seconds"].default == POLL_SECONDS


def test_what_replicas_do_follows_from_the_inputs() -> None:
    """Row by row."""
    for replicas, rate, core, minutes, oss, share in rows("Replicas"):
        expected = number(replicas) * RATE
        assert number(rate) == expected
        assert core == f"{RATE * CPU_MS / 1_000:.0%}".replace("%", " %")
        assert minutes == f"{EVENTS / expected / 60:.1f} min"
        assert number(oss) == expected * OSS
        assert share == f"{2 * expected / THROTTLE:.0%}".replace("%", " %")
    assert f"one replica already sends {RATE * OSS:,.0f} a second" in PAGE
    assert f"At {THROTTLE / 2 / RATE:.0f} replicas MNS itself" in PAGE


def test_what_a_million_events_take_follows_from_the_inputs() -> None:
    """And the formula of their price names the same amounts."""
    amounts = [number(amount) for _, amount in rows("A million events")]
    core_hours = round(EVENTS * CPU_MS / 1_000 / 3_600, 2)
    polls = DAYS * 86_400 / POLL_SECONDS
    assert amounts == [EVENTS * OSS, EVENTS, EVENTS * MNS, 2 * EVENTS, core_hours, polls]
    text = " ".join(PAGE.split())
    assert f"`{EVENTS * MNS:,.0f} m + {EVENTS:,} p + {EVENTS * (OSS - 1):,.0f} g + {core_hours} c`" in text
    assert f"`{polls:,.0f} m`" in text
