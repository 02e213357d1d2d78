"""Reading: what stands in a letter, as values; pure, and run in a cell since a parser may blow up.

    parts     the mail taken apart under guard             kinds, letters   what bytes are, and their texts
    documents UBL, Order-X, files with a mapping           sheets           CSV, XLSX, ODS
    markup    JSON-LD and microdata of schema.org          pages            PDF
    tables    grids by their headings                      prose, quotes    words, replies, forwarded mails
    parcels   carriers' mails                              form             cells → an order in canonical words

Every value has an origin (part, place, text, how far it is trusted), every doubt its readings.
"""

from hub.inbound.mail.reading.found import Doubt, Found, Inner, Origin, Parcel, Reading
from hub.inbound.mail.reading.read import read
from hub.inbound.mail.reading.record import rules_of
from hub.inbound.mail.reading.rules import Layout, Manner, Rules

__all__ = [
    "Doubt",
    "Found",
    "Inner",
    "Layout",
    "Manner",
    "Origin",
    "Parcel",
    "Reading",
    "Rules",
    "read",
    "rules_of",
]
