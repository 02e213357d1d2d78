"""Shelves: where files lie, a folder of this machine or of an SFTP server, behind four verbs.

    shelf.py    Entry, Shelf (entries, open, move, put), Shelves (which shelf a place is)
    folder.py   a folder of this machine
    sftp.py     a folder of an SFTP server (the extra `sftp`)

What is put or moved is there whole under its name, or not at all.
"""
