"""What can go wrong, in words for the person who meets it."""


class LastmileError(Exception):
    """Something a person can act on; its text says what is wrong, where, and what to do."""


class StoreInUse(LastmileError):
    """Another process holds the database file."""


class StoreTooNew(LastmileError):
    """The database was written by a later version of this program."""


class DiskFull(LastmileError):
    """The disk has no room for what was asked; nothing of it was written."""


class BadBatch(LastmileError):
    """Rows that do not fit the table they were sent to."""


class SnapshotClosed(LastmileError):
    """The ledger is no longer held as it stood; what is asked must be asked anew."""


class NotPossible(LastmileError):
    """A decision that the present state does not allow."""
