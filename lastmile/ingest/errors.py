"""What can go wrong with a file or a mapping, in words for the person who meets it."""

from lastmile.errors import LastmileError


class BadMapping(LastmileError):
    """A mapping that says something it may not; the text names the key and what is allowed."""


class UnreadableFile(LastmileError):
    """A file of which no row can be read with this mapping; the text names the file and the remedy."""


class ImportCancelled(LastmileError):
    """The person who started the import stopped it; nothing of it was written."""
