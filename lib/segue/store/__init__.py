"""The document store: one database for each data set, one module for each collection."""

from segue.store.database import Store, open_store

__all__ = ["Store", "open_store"]
