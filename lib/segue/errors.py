"""The errors a person meets: each says what was wrong and how to mend it."""


class SegueError(Exception):
    """Something a person can mend; its text says what was wrong and what to do. The command line exits 1."""


class UsageError(SegueError):
    """A wrong parameter, name or value; nothing has run. The command line exits 2."""
