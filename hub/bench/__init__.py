"""`orderhub bench`: the figures of one machine, printed with the ratios that other machines share."""


def run_bench(
    database: str = "", *, seconds: float = 5.0, as_json: bool = False, deliveries: bool = False,
    mail: bool = False,
) -> None:  # fmt: skip
    """Measure on fresh SQLite files, or in fresh schemas of a PostgreSQL database, and print the table: of the whole
    path, of deliveries under many conditions, or of mail."""
    from hub.bench.table import print_bench, print_deliveries, print_mail  # noqa: PLC0415  the load and the sink start with this package too

    (print_mail if mail else print_deliveries if deliveries else print_bench)(
        database, seconds=seconds, as_json=as_json
    )
