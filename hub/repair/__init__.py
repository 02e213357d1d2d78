"""Repair: what is stored is folded again, read again, explained, forgotten and, when its time is over, dropped.

    rebuild      facts → orders            remap    messages → facts, with other mappings
    replay       messages → the stage      why      each value → the words it came from
    redact       people → nobody           sweep    old bodies, attempts and events → room

What changes orders is a dry run unless told otherwise, and a dry run is the real thing, not committed.
"""
