"""The demo: the hub's work in one terminal, with a shop, a partner and a parcel service that live in it.

A real hub runs as a process of its own on a temporary SQLite file; the far sides are small real servers
on this machine. Everything that is shown was done over HTTP, and can be done again by hand.
"""
