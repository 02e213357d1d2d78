"""`python -m hub`, the same as the command `orderhub`."""

from hub.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
