"""What was answered for and is not in the ledger yet, on the disk beside the database: files that hold a batch each.

A row counts as accepted when it stands here; the ledger takes batches in as fast as it can, and their files go then. What a
process that ended has left here is taken in by the next one.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path

import pyarrow as pa

from lastmile.errors import DiskFull

_LENGTH = 8
_MARK = 4


@dataclass(frozen=True)
class Brought:
    """New rows of some requests, ready for the ledger: events, bookings, and what is refused for quarantine."""

    events: pa.Table
    bookings: pa.Table
    quarantined: pa.Table

    @property
    def tables(self) -> tuple[pa.Table, pa.Table, pa.Table]:
        return self.events, self.bookings, self.quarantined

    @property
    def is_empty(self) -> bool:
        return not any(table.num_rows for table in self.tables)


def together(parts: list[Brought]) -> Brought:
    """Several as one, in their order."""
    return Brought(*(pa.concat_tables(tables) for tables in zip(*(part.tables for part in parts), strict=True)))


class Journal:
    """The files of one database, the one that is written to last; for one thread at a time."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._number = max([int(path.suffix[1:]) for path in files(database)], default=0)
        self._file: int | None = None

    def keep(self, brought: Brought) -> None:
        """Put rows on the disk; they are safe when this returns. Raises DiskFull, and nothing of them stands here then."""
        record = _record(brought)
        file = self._opened()
        size = os.lseek(file, 0, os.SEEK_END)
        try:
            _write(file, record)
            os.fdatasync(file)
        except OSError as error:
            os.ftruncate(file, size)
            if error.errno in (ENOSPC, EDQUOT):
                told = f"The disk of {self._database} is full. Nothing of this was taken; free some space and send it again."
                raise DiskFull(told) from error
            raise

    def cut(self) -> Path | None:
        """The file with all that was kept since the last cut, closed: what comes next goes into another. None: nothing was."""
        if self._file is None:
            return None
        os.close(self._file)
        self._file = None
        return self._path

    @property
    def _path(self) -> Path:
        return self._database.with_name(f"{self._database.name}.accepted.{self._number:06d}")

    def _opened(self) -> int:
        if self._file is None:
            self._number += 1
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            folder = os.open(self._path.parent, os.O_RDONLY)
            os.fsync(folder)  # else a power cut may lose the file's name
            os.close(folder)
        return self._file


def files(database: Path) -> list[Path]:
    """The files with rows that the ledger has not taken in yet, the oldest first."""
    return sorted(database.parent.glob(f"{database.name}.accepted.[0-9]*"))


def read(path: Path) -> Iterator[Brought]:
    """What a file holds; what was being written when the process ended was answered to nobody, and is passed over."""
    data, at = path.read_bytes(), 0
    while at + _LENGTH + _MARK <= len(data):
        length = int.from_bytes(data[at : at + _LENGTH], "little")
        mark = int.from_bytes(data[at + _LENGTH : at + _LENGTH + _MARK], "little")
        body = data[at + _LENGTH + _MARK : at + _LENGTH + _MARK + length]
        if len(body) < length or zlib.crc32(body) != mark:
            return
        yield _brought(body)
        at += _LENGTH + _MARK + length


def set_aside(database: Path, brought: Brought) -> Path:
    """Keep rows that the ledger does not take for somebody to look at; returns the file."""
    numbers = [int(path.suffix[1:]) for path in aside(database)]
    path = database.with_name(f"{database.name}.aside.{max(numbers, default=0) + 1:06d}")
    path.write_bytes(_record(brought))
    return path


def aside(database: Path) -> list[Path]:
    """The files with rows that the ledger did not take."""
    return sorted(database.parent.glob(f"{database.name}.aside.[0-9]*"))


def _record(brought: Brought) -> bytes:
    """Length and checksum, then each table as an Arrow stream with its length before it."""
    streams = [_stream(table) for table in brought.tables]
    body = b"".join(len(stream).to_bytes(_LENGTH, "little") + stream for stream in streams)
    return len(body).to_bytes(_LENGTH, "little") + zlib.crc32(body).to_bytes(_MARK, "little") + body


def _brought(body: bytes) -> Brought:
    tables, at = [], 0
    while at < len(body):
        length = int.from_bytes(body[at : at + _LENGTH], "little")
        tables.append(pa.ipc.open_stream(body[at + _LENGTH : at + _LENGTH + length]).read_all())
        at += _LENGTH + length
    return Brought(*tables)


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def _write(file: int, record: bytes) -> None:
    left = memoryview(record)
    while left:
        left = left[os.write(file, left) :]
