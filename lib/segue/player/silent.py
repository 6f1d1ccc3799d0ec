"""What a notebook shows where there is nothing to show."""

from __future__ import annotations


class Silent:
    """Stands where a rehearsal would be while somebody listens: it shows as nothing, and so do its parts."""

    def __getattr__(self, name: str) -> Silent:
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *given: object, **named: object) -> Silent:
        """Return itself."""
        return self

    def _ipython_display_(self) -> None:
        """Display nothing."""
