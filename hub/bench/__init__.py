"""`orderhub bench`: the figures of one machine, printed with the ratios that other machines share."""


def run_bench(database: str = "", *, seconds: float = 5.0, as_json: bool = False) -> None:
    """Measure on fresh SQLite files, or in fresh schemas of a PostgreSQL database, and print the table."""
    from hub.bench.table import print_bench  # noqa: PLC0415  the load and the sink start with this package too

    print_bench(database, seconds=seconds, as_json=as_json)
