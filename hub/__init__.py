"""orderhub: orders and parcels from everywhere in, signed status webhooks out."""

__version__ = "0.1.0"
