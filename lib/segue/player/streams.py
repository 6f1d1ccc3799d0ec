"""Clips for listeners who are logged in: so many at once, and counted."""

from __future__ import annotations

from collections import Counter

from segue.player.audio import AudioHandler, Clips
from segue.player.identity import Listener
from segue.player.monitor import Counts
from segue.player.peaks import Peaks, PeaksHandler
from segue.player.web import Private, Refusal

_AT_ONCE = 12
"""Answers that one listener may be receiving; a browser opens six connections to a host."""

_WAIT_S = 5


class PlayerAudio(Private, AudioHandler):
    """``/audio/<track id>``."""

    def initialize(  # type: ignore[override]
        self, clips: Clips, streams: Counter[str], counts: Counts
    ) -> None:
        """Take what the handler was mounted with; ``streams`` counts open answers by account."""
        super().initialize(clips, allowed=lambda _: True)
        self._streams, self._counts = streams, counts

    async def get(self, track_id: str) -> None:
        """Answer with the clip, or the range of it that was asked for.

        Raises
        ------
        Refusal
            If this listener is receiving as many as one may.
        """
        listener = self.current_user
        assert isinstance(listener, Listener)
        who = listener.username
        if self._streams[who] >= _AT_ONCE:
            raise Refusal(
                429, "Enough at once", "You are listening in many places. Stop one of them first.", _WAIT_S
            )
        self._streams[who] += 1
        try:
            await super().get(track_id)
        finally:
            self._streams[who] -= 1
            if not self._streams[who]:
                del self._streams[who]

    def sent(self, size: int) -> None:
        """Count bytes of a clip."""
        self._counts.audio_bytes += size


class PlayerPeaks(PeaksHandler, PlayerAudio):
    """``/audio/<track id>/peaks``, within the same bounds as the clips."""

    def initialize(  # type: ignore[override]
        self, clips: Clips, streams: Counter[str], counts: Counts, peaks: Peaks
    ) -> None:
        """Take what the handler was mounted with."""
        PlayerAudio.initialize(self, clips, streams, counts)
        self._peaks = peaks
