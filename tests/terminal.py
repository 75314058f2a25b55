"""A terminal that keeps what it is sent, and what its screen then shows."""

import io
import re

COLUMNS = 80


class Terminal(io.StringIO):
    """A stream that says it is a terminal; tests that use it set TERM to one that can move."""

    def isatty(self):
        return True

    def screen(self):
        """The lines that such a terminal shows, which obeys what rich writes, up to the last."""
        rows, row, column = [""], 0, 0
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", self.getvalue()):
            if part == "\r":
                column = 0
            elif part == "\n":
                row, column = row + 1, 0
                rows += [""] * (row + 1 - len(rows))
            elif part == "\x1b[2K":
                rows[row] = ""
            elif part.endswith("A") and part[0] == "\x1b":
                row -= int(part[2:-1] or 1)
            elif part[0] != "\x1b":
                rows[row] = (
                    rows[row][:column].ljust(column) + part + rows[row][column + len(part) :]
                )
                column += len(part)
            else:
                assert re.fullmatch(r"\x1b\[(\?25[lh]|[0-9;]*m)", part), part
        while rows and not rows[-1].strip():
            rows.pop()
        return [row.rstrip() for row in rows]
