"""The pause switch: three hands can hold it, and in doubt it holds."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from consumer.guards.pause import PauseSwitch


def test_nobody_holds_it_at_first(tmp_path: Path) -> None:
    """Without a reason changes may be made."""
    assert PauseSwitch().held_by() == ""
    assert PauseSwitch(file=tmp_path / "missing").held_by() == ""
    assert PauseSwitch(file=tmp_path / "missing" / "folder").held_by() == ""


def test_the_configuration_holds_it() -> None:
    """A signal to resume does not take that back."""
    switch = PauseSwitch(enabled=True)
    switch.resume()
    assert switch.held_by() == "pause.enabled"


@pytest.mark.parametrize(
    "text", ["", "true", "because of the migration", "1", "\N{SNOWMAN}", "false alarm", "off" + 61 * " " + "ering"]
)
def test_a_file_holds_it_while_it_exists(tmp_path: Path, text: str) -> None:
    """Whatever it says, unless that is no."""
    file = tmp_path / "pause"
    switch = PauseSwitch(file=file)
    file.write_text(text, encoding="utf-8")
    assert switch.held_by() == f"the file {file}"
    file.unlink()
    assert switch.held_by() == ""


def test_what_the_file_does_is_noticed_once(tmp_path: Path) -> None:
    """Not with every look, and not what a signal or the configuration does."""
    file, noticed = tmp_path / "pause", list[str]()
    switch = PauseSwitch(file=file, notice=noticed.append)
    for text in (None, None, "on", "on", "because", "off", None, "on"):
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text, encoding="utf-8")
        switch.held_by()
    assert noticed == [f"the file {file}", "", f"the file {file}"]
    switch.pause()
    file.unlink()
    switch.held_by()
    switch.resume()
    assert len(noticed) == 3
    switch.held_by()
    assert noticed[3:] == [""]


@pytest.mark.parametrize("text", ["false", "False\n", "off", "no", "0"])
def test_a_file_that_says_no_is_as_good_as_missing(tmp_path: Path, text: str) -> None:
    """A key of a mounted ConfigMap can be changed more easily than removed."""
    file = tmp_path / "pause"
    file.write_text(text)
    assert PauseSwitch(file=file).held_by() == ""


def test_a_file_that_cannot_be_read_holds_it(tmp_path: Path) -> None:
    """If it cannot be told, nothing is changed."""
    assert "cannot be read" in PauseSwitch(file=tmp_path).held_by()  # a folder is there, and says nothing
    assert "cannot be read" in PauseSwitch(file=tmp_path / ("x" * 5_000)).held_by()


def test_a_signal_holds_it_until_it_is_taken_back() -> None:
    """Twice held is held once."""
    switch = PauseSwitch()
    switch.pause()
    switch.pause()
    assert switch.held_by() == "a signal"
    switch.resume()
    assert switch.held_by() == ""


def test_what_is_no_regular_file_holds_it_and_is_never_waited_for(tmp_path: Path) -> None:
    """A pipe without a writer would keep its reader for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for path in (pipe, tmp_path / "socket", Path("/dev/zero")):
            assert PauseSwitch(file=path).held_by() == f"the file {path}, which cannot be read: it is no regular file"
    assert PauseSwitch(file=tmp_path).held_by() == f"the file {tmp_path}, which cannot be read: Is a directory"


def test_a_link_is_followed(tmp_path: Path) -> None:
    """Each key of a mounted ConfigMap is one."""
    (tmp_path / "data").write_text("on", encoding="utf-8")
    (tmp_path / "pause").symlink_to("data")
    switch = PauseSwitch(file=tmp_path / "pause")
    assert switch.held_by()
    (tmp_path / "data").unlink()
    assert switch.held_by() == ""


def test_a_file_of_no_text_holds_it(tmp_path: Path) -> None:
    """Bytes that nobody can read say no as little as any other text."""
    file = tmp_path / "pause"
    file.write_bytes(b"\xff\xfe")
    assert PauseSwitch(file=file).held_by() == f"the file {file}"


def test_no_more_of_a_file_is_read_than_how_it_begins(tmp_path: Path) -> None:
    """However large it is: this one is larger than any memory, and takes no room."""
    file = tmp_path / "pause"
    with file.open("wb") as large:
        large.truncate(2**40)
    assert PauseSwitch(file=file).held_by() == f"the file {file}"
