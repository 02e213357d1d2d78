"""Tables in files: from a folder, over SFTP, by upload or push; and orders written out for warehouses that live on files."""

from adapters.csv import layout, shape, writes
from adapters.csv.settings import CsvSettings
from hub.contract import Channel, Write, const, mapping, query
from hub.contract.files import Files
from hub.contract.proof import StaticToken

channel = Channel(
    name="csv",
    title="Files (CSV)",
    kind="file",
    settings=CsvSettings,
    proof=StaticToken(),
    topic=query("table") | const("orders"),
    freshness={"order": "updated_at", "shipment": "updated_at", "tracking": "append_only", "*": "arrival"},
    reads={
        "orders": mapping("csv.order"),
        "shipments": mapping("csv.shipment"),
        "scans": mapping("csv.tracking"),
    },
    open=shape.opened,
    parts=shape.parts,
    blame=shape.blame,
    files=Files(
        layout=layout.layout,
        place=layout.place,
        target=layout.target,
        pattern=lambda settings: settings.pattern,
        judge=layout.judge,
    ),
    writes={
        "order.create": Write(do=writes.write_order, needs=("out_folder|out_sftp_path",)),
        "order.update": Write(do=writes.write_order, needs=("out_folder|out_sftp_path",)),
        "shipment.create": Write(do=writes.write_shipment, needs=("out_folder|out_sftp_path",)),
    },
    quality={
        "fixtures": "exempt: every office writes its own tables; the columns are the hub's",
        "proof": "exempt: a bearer token has no signature to check against a vector",
        "limits": "done",
    },
)
