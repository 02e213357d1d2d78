"""The log: what it is written to may be full or gone, and whoever logs goes on."""

from __future__ import annotations

import io

from hub.cli.logs import Lines


class Disk(io.StringIO):
    """Somewhere to write to, full for a while."""

    full = False

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_log_that_cannot_be_written_stops_nobody_and_says_later_how_much_is_missing():
    disk = Disk()
    lines = Lines(disk)
    lines.msg("one")
    disk.full = True
    lines.warning("two")
    lines.error("three")
    disk.full = False
    lines.msg("four")
    lines.msg("five")

    missing = '{"event": "the log could not be written", "lines": 2}'
    assert disk.getvalue().splitlines() == ["one", missing, "four", "five"]
