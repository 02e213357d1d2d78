"""The command line: what an operator types. It speaks HTTP to a running hub, as any other program may."""
