"""`report` over what a real worker has written, in every form; and its page in a real browser."""

from __future__ import annotations

import html as escaping
import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.journaling import READ
from tests.patience import PATIENCE_SECONDS
from tests.unit.operator.report.journals import SINCE, UNTIL, Book
from tests.unit.operator.report.test_forms import HOSTILE

WRITE = "oss-bucket-public-write-prohibited"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def worked(cli: Cli, channel: Emulator) -> None:
    """A worker has fixed one bucket, would fix another, and found a third gone."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    channel.create_buckets(["uploads"], acl="public-read-write")
    for bucket, rule in (("photos", READ), ("gone", READ), ("uploads", WRITE)):
        channel.config.publish(bucket=bucket, rule=rule)
    process = cli.start("run")
    try:
        eventually(lambda: journal_text(cli).count('"step":"settled"') >= 3)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def journal_text(cli: Cli) -> str:
    """The journal so far."""
    path = cli.path.parent / "journal.jsonl"
    return path.read_text() if path.exists() else ""


def test_a_week_of_a_worker_is_reported_in_every_form(cli: Cli, channel: Emulator, journal: Path) -> None:
    """Found, fixed, would fix, gone, with how long it was exposed; status 0, for everything is on record."""
    worked(cli, channel)
    result = cli.run("report", "--since", "1h", "--format", "json")
    assert result.status == 0, result
    document = result.document
    assert document["standings"] == {"public-read": {"fixed": 1, "gone": 1}, "public-write": {"would fix": 1}}
    assert (document["changes"], document["damaged"]) == (1, False)
    assert [each["resource"] for each in document["would_fix"]["shown"]] == ["uploads"]
    (slowest,) = document["slowest"]
    (made,) = [each for each in cli.json("journal", "show", "photos") if each["step"] == "verified"]
    assert slowest["change"] == made["hash"][:12]
    assert slowest["exposed_seconds"] == max(0, made["at_ms"] - made["evaluated_at_ms"]) / 1000
    assert document["files"][0]["head"] == cli.json("journal", "verify")["head"]
    for form, begins in (("text", "What config-remediator"), ("markdown", "# What"), ("html", "<!doctype html>")):
        written = cli.path.parent / f"report.{form}"
        assert cli.run("report", "--format", form, "-o", str(written)).status == 0
        source = written.read_text(encoding="utf-8")
        assert source.startswith(begins)
        assert all(name in source for name in ("photos", "uploads"))
        assert cli.run("report", "--format", form).out.partition("\n")[0] == source.partition("\n")[0]


def test_a_damaged_journal_is_status_one(cli: Cli, channel: Emulator, journal: Path) -> None:
    """The report is written all the same, and says so first."""
    worked(cli, channel)
    journal.write_text(journal_text(cli).replace('"before":"public-read"', '"before":"Public-read"', 1))
    result = cli.run("report")
    assert result.status == 1
    assert "NOT whole" in result.out
    assert result.out.index("What this report does not know") < result.out.index("Changes, each day")


def test_a_report_never_replaces_what_it_is_made_from(cli: Cli, channel: Emulator, journal: Path) -> None:
    """Neither the journal, by whatever name, nor the configuration."""
    worked(cli, channel)
    alias = journal.with_name("alias")
    alias.symlink_to(journal)
    for target in (journal, alias, cli.path):
        before = target.read_bytes()
        refused = cli.run("report", "--format", "html", "-o", str(target))
        assert (refused.status, "is read for this report" in refused.err) == (2, True), refused
        assert target.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-f", "none.jsonl"), "cannot read the journal"),
        (("-f", "x" * 300), "cannot read the journal"),
        (("-o", "x" * 300), "cannot write the report"),
        (
            ("--since", "2026-11-02", "--until", "2026-11-01"),
            "2026-11-02 00:00:00 UTC is not before --until, 2026-11-01",
        ),
        (("--since", "2999-11-02"), "--since: 2999-11-02 00:00:00 UTC is not before now, 2"),
        (("-o", "json"), "--format json chooses what is written"),
        (("-o", "no/such/folder/report.html"), "cannot write the report"),
        (("--since", "long ago"), "neither a span"),
    ],
)
def test_what_cannot_be_reported_is_status_two(cli: Cli, journal: Path, arguments: tuple[str, ...], says: str) -> None:
    """In one line that names the option."""
    journal.write_bytes(b"")
    result = cli.run("report", *arguments)
    assert result.status == 2
    assert says in result.err
    assert "config-remediator report" in result.err


def test_a_report_goes_through_a_pipe_too(cli: Cli, journal: Path) -> None:
    """To /dev/stdout, which cannot be replaced."""
    journal.write_bytes(b"")
    assert "<!doctype html>" in cli.run("report", "--format", "html", "-o", "/dev/stdout").out


def test_a_period_that_is_not_over_says_so(cli: Cli, tmp_path: Path) -> None:
    """Its days to come are not drawn as days without changes."""
    book = Book(tmp_path / "journal.jsonl")
    book.ended("fixed", at_ms=SINCE)
    result = cli.run(
        "report", "-f", str(book.path), "--since", _iso(SINCE), "--until", "9000-01-01", "--format", "json"
    )
    assert (result.status, result.document["damaged"]) == (0, False)
    assert result.document["unknown"][-1].startswith("The period goes on until 9000-01-01 00:00:00 UTC")


@pytest.mark.parametrize("command", [("report",), ("journal", "verify"), ("journal", "show"), ("explain", "photos")])
@pytest.mark.parametrize("what", ["pipe", "folder", "device"])
def test_no_reader_of_journals_waits_for_what_is_no_file(
    cli: Cli, tmp_path: Path, command: tuple[str, ...], what: str
) -> None:
    """A pipe that nobody writes to, and a device without an end: one line and status 2."""
    path = Path("/dev/zero") if what == "device" else tmp_path / "journal"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    result = cli.run(*command, "-f", str(path))
    assert result.status == 2, result
    says = f"'{path}' is a directory" if what == "folder" else f"{path}: cannot read the journal: it is no regular file"
    assert says in result.err


@pytest.fixture
def browser(tmp_path: Path) -> list[str]:
    """How a browser without a window is started."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000")
    return [found, *options, f"--user-data-dir={tmp_path / 'profile'}"]


@pytest.fixture
def page(cli: Cli, tmp_path: Path) -> Path:
    """The page of a journal that is hostile in every field."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("opened", SINCE - 1)
    for number, value in enumerate((*HOSTILE, "a" * 300, "<script>document.body.innerHTML=''</script>")):
        book.ended("fixed", f"{value}", rule=f"{value}{number}", before=value, after=value)
        book.ended("would_fix", f"b{number}{value}", rule="public-read", before=value, after=value)
        book.ended("exempt", f"c{number}", rule="r", detail=f"exemption {value}")
        book.ended("held", f"d{number}", rule=value, reason="contested")
    written = tmp_path / "report.html"
    period = ("--since", _iso(SINCE), "--until", _iso(UNTIL))
    result = cli.run("report", "-f", str(book.path), *period, "--format", "html", "-o", str(written))
    assert result.status == 0, result
    return written


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def test_no_script_runs_in_a_browser(page: Path, browser: list[str]) -> None:
    """What the browser makes of the page has the hostile values as text, its own title, and no element of theirs."""
    dom = subprocess.run([*browser, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120).stdout
    assert "<title>What config-remediator found and did" in dom
    assert "&lt;script&gt;document.title='owned'&lt;/script&gt;" in dom
    assert not re.search(r"<(script|img|iframe|a|link|object|form)[\s>]", dom)


def test_the_page_fits_a_phone_and_a_desk(page: Path, browser: list[str], tmp_path: Path) -> None:
    """Nothing is wider than the screen, from a small phone to a wide window."""
    inner = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    widths = (320, 390, 768, 1280)
    frames = "".join(
        f'<iframe width="{width}" height="700" srcdoc="{escaping.escape(inner, quote=True)}"></iframe>'
        for width in widths
    )
    measure = (
        "onload=()=>{document.title=JSON.stringify([...document.querySelectorAll('iframe')]"
        ".map(f=>[f.contentDocument.documentElement.scrollWidth,+f.width]))}"
    )
    outer = tmp_path / "frames.html"
    outer.write_text(f"<!doctype html><title></title>{frames}<script>{measure}</script>", encoding="utf-8")
    dom = subprocess.run([*browser, "--dump-dom", outer.as_uri()], capture_output=True, text=True, timeout=120).stdout
    found = re.search(r"<title>(\[\[.*?\]\])</title>", dom)
    assert found, dom[:500]
    measured = json.loads(found[1])
    assert len(measured) == len(widths)
    assert [pair for pair in measured if pair[0] > pair[1]] == []


def test_the_page_is_printed_on_a4(page: Path, browser: list[str], tmp_path: Path) -> None:
    """Every sheet has that size, and there are as many as its tables need."""
    printed = tmp_path / "report.pdf"
    command = [*browser, "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    sheets = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", printed.read_bytes())
    assert 2 <= len(sheets) <= 20
    assert {(round(float(width)), round(float(height))) for width, height in sheets} == {(595, 842)}
