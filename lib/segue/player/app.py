"""The player on the kernel's side: `open_player` is all that notebook 05 needs."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython import get_ipython

from segue.errors import SegueError
from segue.pipeline.run import BY_HAND, Run, current_run
from segue.player.comms import only_for
from segue.player.desk import Desk
from segue.player.expected import Expected
from segue.player.gate import Gate
from segue.player.leash import held
from segue.player.link import Ears, Link
from segue.player.place import Place, find_place, under_voila
from segue.player.silent import Silent
from segue.player.store_link import StoreLink
from segue.player.widget import PlayerWidget
from segue.settings import Settings

if TYPE_CHECKING:
    from segue.player.local_audio import LocalAudio
    from segue.player.local_worker import LocalWorker

log = logging.getLogger(__name__)

_CLOSE_S = 3.0


class Player:
    """One page with all that it needs in its kernel; a notebook shows it as its widget.

    Nothing is started before somebody looks at it: under Voila that is at once, elsewhere when a page says
    hello. A player outside the server serves its own clips, and has a worker of its own if there is no other.

    Parameters
    ----------
    place
        Whose player it is.
    widget
        The page.
    """

    def __init__(self, place: Place, widget: PlayerWidget) -> None:
        self.place, self.widget, self.gate = place, widget, Gate()
        self._stores = StoreLink(place.settings, place.database)
        self._desk: Desk | None = None
        self._audio: LocalAudio | None = None
        self._worker: LocalWorker | None = None
        self._closed = False
        widget.on_msg(self._on_message)
        widget.comm.on_close(lambda message: self.close())
        atexit.register(self.close)
        if not place.local:
            only_for(get_ipython().kernel, widget.comm.comm_id, self.gate)
            self._start()

    @property
    def run(self) -> Run:
        """Return the run whose data set and models are played."""
        return self.place.run

    @property
    def desk(self) -> Desk | None:
        """Return what answers the page; None until it is needed."""
        return self._desk

    def close(self) -> None:
        """End the threads and connections; the page gets no answer any more."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        for step in self._parts():
            try:
                step()
            except Exception:
                log.exception("a part of the player did not end in order")

    def _parts(self) -> list[Callable[[], object]]:
        parts: list[Callable[[], object]] = [
            part.close for part in (self._desk, self._audio, self._worker) if part is not None
        ]
        return parts if self._desk is None else [*parts, partial(self._desk.join, _CLOSE_S)]

    def _start(self) -> None:
        self._desk = Desk(
            self.place, self._stores, self.widget.send, self._address_of_clips, self._connect, self.gate
        )

    def _connect(self, ears: Ears) -> Link:
        if self.place.gateway:
            from segue.player.gateway_link import GatewayLink

            return GatewayLink(self.place, ears)
        from segue.player.direct_link import DirectLink

        if not self.place.local:
            return DirectLink(self.place, ears)
        from segue.player.local_worker import LocalWorker

        self._worker = LocalWorker(self.place.settings, self.place.run)
        return DirectLink(self.place, ears, self._worker.look_after)

    def _address_of_clips(self) -> dict[str, str]:
        if not self.place.local:
            return {"prefix": self.place.audio_prefix, "suffix": ""}
        if self._audio is None:
            from segue.player.audio import Source
            from segue.player.local_audio import LocalAudio

            root = self.place.run.dataset["root"]
            self._audio = LocalAudio(lambda: Source(root, self._stores.open().tracks))
        return self._audio.address()

    def _on_message(self, widget: Any, content: Any, buffers: Any) -> None:
        try:
            if self._desk is None and not self._closed:
                self._start()
            if self._desk is not None:
                self._desk.receive(content, buffers)
        except Exception:
            log.exception("a message of the page was not taken")

    def _repr_mimebundle_(self, **given: Any) -> Any:
        return self.widget._repr_mimebundle_(**given)


def open_player(dataset: str = "demo", run_id: str = BY_HAND) -> Player | Expected | Silent:
    """Return the player: under `segue player` for who is logged in, else for the person before the notebook.

    Parameters
    ----------
    dataset, run_id
        The run, as in the other notebooks; a logged-in listener always gets the current one.

    Raises
    ------
    SegueError
        If there is no run to play. Under Voila nothing is shown then, and the server's page says so.
    """
    settings = Settings()
    _log_to_file(settings)
    try:
        leash = held()
        if leash is None:
            return Player(find_place(dataset, run_id, settings), PlayerWidget())
        run, widget = current_run(settings, "05_player"), PlayerWidget()
        return Expected(run, widget, lambda: Player(find_place(dataset, run_id, settings), widget), leash)
    except SegueError:
        if not under_voila():
            raise
        log.exception("no player")
        return Silent()


def _log_to_file(settings: Settings) -> None:
    """Send what the player and its libraries log to a file: in a kernel it would end in a cell's output."""
    names = ["segue", "kafka", "pymongo", "tornado", "asyncio"]
    if under_voila():
        logging.captureWarnings(True)
        names.append("py.warnings")
    if any(getattr(handler, "of_player", False) for handler in logging.getLogger("segue").handlers):
        return
    file = settings.var / "logs" / "player.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(file, delay=True, encoding="utf-8")
    handler.of_player = True  # type: ignore[attr-defined]
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(name)s %(levelname)s %(message)s"))
    for name in names:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.propagate = False
