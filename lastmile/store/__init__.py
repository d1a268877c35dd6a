"""DuckDB: the ledger, the master data, the derived tables of the present. One writer, a cursor for each question."""

from lastmile.store.answering import Answering
from lastmile.store.derived import DERIVED, Derived
from lastmile.store.ledger import Store
from lastmile.store.snapshot import Snapshot
from lastmile.store.tables import IDENTITIES, MASTER_KEYS, Batch, Frame

__all__ = ["DERIVED", "IDENTITIES", "MASTER_KEYS", "Answering", "Batch", "Derived", "Frame", "Snapshot", "Store"]
