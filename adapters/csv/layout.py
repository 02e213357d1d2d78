"""Where a connection's files lie, and how one is written."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import cast

from adapters.csv.settings import CsvSettings, Table
from hub.contract.files import Folder, Layout, Place, Sftp
from hub.contract.sheet import GROUPS, missing, names_of


def layout(given: CsvSettings, name: str) -> Layout:
    """How the file of this name is written."""
    table: Table = next(
        (found for pattern, found in given.tables.items() if fnmatchcase(name.lower(), pattern.lower())),
        given.table,
    )
    return of_table(given, table)


def of_table(given: CsvSettings, table: Table) -> Layout:
    """How files of this table are written."""
    own = {word.strip().lower(): column for word, column in given.columns.items()}
    return Layout(
        topic=table, encoding=given.encoding, delimiter=given.delimiter, names=names_of(table) | own,
        group=GROUPS[table],
    )  # fmt: skip


def judge(layout: Layout, header: list[str]) -> str:
    """Why a file with this row of names cannot be read; "" where it can."""
    return missing(cast(Table, layout.topic), layout.columns(header), header)


def place(given: CsvSettings) -> Place | None:
    """Where files come in."""
    if given.folder:
        return Folder(given.folder)
    return _sftp(given, given.sftp_path or ".") if given.sftp_host else None


def target(given: CsvSettings) -> Place | None:
    """Where our own files go."""
    if given.out_folder:
        return Folder(given.out_folder)
    return _sftp(given, given.out_sftp_path) if given.sftp_host and given.out_sftp_path else None


def _sftp(given: CsvSettings, path: str) -> Sftp:
    return Sftp(
        host=given.sftp_host, port=given.sftp_port, user=given.sftp_user, path=path, host_key=given.sftp_host_key,
        password=given.sftp_password or "", private_key=given.sftp_private_key or "",
    )  # fmt: skip
