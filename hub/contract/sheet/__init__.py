"""Tables as people and offices write them: which characters, which separators, which columns; pure.

charset.py   which encoding a file is in, and how that is known
table.py     its rows, each with its number and its own text, however large the file
columns.py   the columns that we know, under the names that they go by
"""

from hub.contract.sheet.charset import Charset, charset_of, read_anew
from hub.contract.sheet.columns import COLUMNS, GROUPS, Column, Kind, column_of, missing, names_of
from hub.contract.sheet.table import Row, Table, open_table

__all__ = [
    "COLUMNS",
    "GROUPS",
    "Charset",
    "Column",
    "Kind",
    "Row",
    "Table",
    "charset_of",
    "column_of",
    "missing",
    "names_of",
    "open_table",
    "read_anew",
]
