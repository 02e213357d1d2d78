"""What an operator tells of files: where they lie and how they are written."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from hub.contract import Secret, Settings

Table = Literal["orders", "shipments", "scans"]


def _field(description: str, *, asked: Any = False) -> Meta:
    return Meta(description=description, extra_json_schema={"x-asked": asked})


class CsvSettings(Settings, frozen=True, kw_only=True):
    """Where files come in and go out, and how they are written. What is left empty is found out file by file."""

    folder: Annotated[
        str,
        _field(
            "The folder of the hub's machine that is looked into; files that were taken go to `done/` in it. Empty: "
            "SFTP, uploads and pushes alone.",
            asked=True,
        ),
    ] = ""
    sftp_host: Annotated[
        str, _field("The SFTP server that is looked into instead.", asked={"folder": False})
    ] = ""
    sftp_port: Annotated[int, Meta(ge=1, le=65535), _field("Its port.")] = 22
    sftp_user: Annotated[str, _field("Who we are there.", asked={"sftp_host": True})] = ""
    sftp_password: Annotated[
        Secret | None, _field("Our password, unless a key is given.", asked={"sftp_host": True})
    ] = None
    sftp_private_key: Annotated[Secret | None, _field("Our private key, in OpenSSH's form.")] = None
    sftp_host_key: Annotated[
        str,
        _field(
            "The server's public key as `ssh-keyscan HOST` prints it (`ssh-ed25519 AAAA…`). Nobody else is spoken to.",
            asked={"sftp_host": True},
        ),
    ] = ""
    sftp_path: Annotated[str, _field("The folder there.", asked={"sftp_host": True})] = ""
    pattern: Annotated[
        str, _field("Which files are taken; several with `|` between. Never `.part`, `.tmp` and hidden ones.")
    ] = "*.csv|*.txt|*.tsv"
    table: Annotated[Table, _field("What the rows are: orders, shipments or scans.", asked=True)] = "orders"
    tables: Annotated[
        dict[str, Table], _field('Files of other tables, by name: {"ship*.csv": "shipments"}.')
    ] = field(default_factory=dict)
    columns: Annotated[
        dict[str, str],
        _field('Names that your columns go by, besides those known: {"Beleg": "order_ref"}.'),
    ] = field(default_factory=dict)
    encoding: Annotated[
        str, _field("gbk, gb18030, utf-8, utf-16, latin-1 …; empty: found out for each file, and shown.")
    ] = ""
    delimiter: Annotated[
        Literal["", ",", ";", "\t", "|"], _field("What parts the cells; empty: found out for each file.")
    ] = ""
    decimal: Annotated[
        Literal["", ".", ","],
        _field(
            "How numbers are written: `,` for 1.009,95, `.` for 1,009.95; empty takes 1009.95 and refuses commas."
        ),
    ] = ""
    date_format: Annotated[
        str,
        _field(
            "How times are written, such as %d.%m.%Y %H:%M; empty takes 2026-02-01 10:30, 2026/2/1 and their like."
        ),
    ] = ""
    orders_of: Annotated[
        str, _field("The connection whose orders shipments are of, where no column says it.")
    ] = ""
    out_folder: Annotated[
        str, _field("The folder of the hub's machine that orders and shipments are written into, by a route.")
    ] = ""
    out_sftp_path: Annotated[str, _field("The folder of the SFTP server, likewise.")] = ""
    out_encoding: Annotated[str, _field("What is written: utf-8 unless said.")] = "utf-8"
    out_delimiter: Annotated[Literal[",", ";", "\t"], _field("What parts the cells that are written.")] = ","
    out_decimal: Annotated[Literal[".", ","], _field("How numbers are written.")] = "."
    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        _field(
            "For tables that are pushed to the intake URL: the token sent as `Authorization: Bearer …`; two while it "
            "rotates."
        ),
    ] = None

    def __post_init__(self) -> None:
        if faults := list(_faults(self)):
            raise ValueError("\n".join(faults))


def _faults(given: CsvSettings) -> Iterator[str]:
    for name in ("encoding", "out_encoding"):
        if (told := getattr(given, name)) and not _encoding(told):
            yield f"{name}: there is no encoding {told!r}"
    if given.folder and given.sftp_host and given.sftp_path:
        yield "folder: files come in from a folder or over SFTP, not both: make two connections"
    if (given.sftp_path or given.out_sftp_path) and not given.sftp_host:
        yield "sftp_host: required with a path there"
    if given.sftp_host:
        yield from _sftp_faults(given)


def _sftp_faults(given: CsvSettings) -> Iterator[str]:
    if not given.sftp_user:
        yield "sftp_user: required with sftp_host"
    if not (given.sftp_password or given.sftp_private_key):
        yield "sftp_password: required with sftp_host, or sftp_private_key"
    if not given.sftp_host_key:
        yield "sftp_host_key: required with sftp_host: the server's public key, as `ssh-keyscan` prints it"
    if given.folder and not given.out_sftp_path:
        yield "sftp_host: files come in from a folder or over SFTP, not both: make two connections"


def _encoding(told: str) -> bool:
    try:
        codecs.lookup(told)
    except LookupError:
        return False
    return True
