"""Files come in: looked for on shelves or uploaded, cut into messages, moved away when all of it is durable.

    watch.py   the stage that looks at every connection's shelf: what stands still is taken, then moved to `done/`
    take.py    Taker: one file, however large, becomes messages; it goes on where a process died
    away.py    what was read is put away, if it still is what lies there; what a dead process left aside comes back
    cut.py     a table is cut between its orders, in bounded memory, even where an order's rows do not stand together

A file is known by its content. What of it is durable is remembered under its hash, so that a file that comes
again, or whose move was lost, gives nothing twice.
"""
