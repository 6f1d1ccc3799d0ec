"""Voila with one notebook, behind accounts, with nothing mounted that it does not need."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tornado.ioloop import PeriodicCallback
from tornado.web import Application, RequestHandler
from traitlets import default
from traitlets.config import Config
from voila.app import Voila

from segue.pipeline.files import write_text
from segue.pipeline.run import current_run
from segue.player import account, entrance, monitor, page, search_file, web
from segue.player.accounts import Accounts
from segue.player.audio import Clips, Source
from segue.player.binding import bind, url
from segue.player.channels import MESSAGE_BYTES, Connection, Socket
from segue.player.connections import Networks, Server, files_allowed
from segue.player.forking.interpreter import OwnInterpreter, PlayerKernel
from segue.player.gateway import Gateway
from segue.player.identity import AccountIdentity, Sessions, cookie_secret
from segue.player.journal import log_answer, open_log
from segue.player.kernels import PlayerKernels
from segue.player.peaks import Peaks
from segue.player.place import GATEWAY
from segue.player.streams import PlayerAudio, PlayerPeaks
from segue.settings import Settings
from segue.store import Store
from segue.store.accounts import AccountStore, StoreAway

_KERNEL_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_LAST_ANSWERS_S = 5.0
"""Seconds that answers on their way have when the server is told to end."""

_CARE_S = 5.0
"""Seconds between two looks at what happened to accounts elsewhere."""

_TIDY_S = 60.0
"""Seconds between two removals of what is forgotten of failed attempts to get in."""

_LONGEST_FOLDER = 45
"""A Unix socket's path has about 100 characters; a kernel's own part takes 55."""


class PlayerApp(Voila):
    """Voila in its single-notebook mode, with routes, identity and kernels of our own."""

    name = "segue-player"

    def __init__(
        self,
        settings: Settings,
        accounts: AccountStore,
        notebook: Path,
        folder: str,
        limits: Mapping[str, float],
    ) -> None:
        super().__init__(config=_configuration(settings, notebook, folder, limits))
        self.connection_dir = folder
        self._settings = settings
        self.accounts = Accounts(accounts)
        self.notebook_path = str(notebook.resolve())
        self.config_file_paths: list[str] = []
        self.open_browser = False
        self.ip = settings.player_host
        self.cookie_secret = cookie_secret(settings)
        self.identity_provider_class = AccountIdentity
        self.kernel_websocket_connection_class = Connection
        self.counts = monitor.Counts()
        self.gateway = Gateway(settings, Path(folder))
        self.peaks = Peaks()
        self.open_answers = web.OpenAnswers()
        self._proxies = Networks(settings.player_proxies)

    @default("log")
    def _own_log(self) -> logging.Logger:
        return logging.getLogger("segue.player")

    def init_settings(self) -> dict[str, Any]:
        """Return the application's settings."""
        return super().init_settings() | {
            "accounts": self.accounts,
            "page_notes": page.notes_of(Path(self.notebook_path)),
            "sessions": Sessions(self.accounts),
            "default_handler_class": web.NotFound,
            "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Lax"},
            "websocket_max_message_size": MESSAGE_BYTES,
            "ws_ping_interval": 0,
            "log_function": self._answered,
            "counts": self.counts,
            "open_answers": self.open_answers,
            "monitor_token": self._settings.monitor_token,
        }

    def init_handlers(self) -> list[Any]:
        """Return every route that there is; anything else is not found."""
        clips = {"clips": Clips(_of_current_run(self._settings, self.accounts.store))}
        counted = {"streams": Counter[str](), "counts": self.counts}
        return [
            (r"/login", entrance.LogIn),
            (r"/signup", entrance.SignUp),
            (r"/logout", entrance.LogOut),
            *account.routes(),
            (r"/health", monitor.Health),
            (r"/metrics", monitor.Metrics, {"registry": monitor.registry(self.counts, self.gateway.counts)}),
            (rf"/page/([0-9a-f]{{16}})/({'|'.join(map(re.escape, page.PARTS))})", page.Part),
            (r"/page/([0-9a-f]{16})/([a-z.]+)", web.Asset),
            (r"/audio/([0-9]{1,16})", PlayerAudio, clips | counted),
            (r"/audio/([0-9]{1,16})/peaks", PlayerPeaks, clips | counted | {"peaks": self.peaks}),
            (rf"/api/kernels/{_KERNEL_ID}", page.KernelModel),
            (rf"/api/kernels/{_KERNEL_ID}/channels", Socket),
            (rf"/voila/api/shutdown/{_KERNEL_ID}", page.Shutdown),
            (r"/", page.Page),
        ]

    def start(self) -> None:
        """Serve until SIGINT or SIGTERM, then end all kernels."""
        asyncio.run(self._serve())

    def application(self) -> Application:
        """Return the application with every route; its kernels belong to the running loop."""
        self.app = Application(**self.init_settings())
        self.app.add_handlers(".*$", self.init_handlers())
        return self.app

    async def _take_care(self) -> None:
        """Carry out what happened to accounts by way of another server, or before this one was killed."""
        with contextlib.suppress(StoreAway):
            await self.app.settings["sessions"].sweep(self.kernel_manager)
            await self.accounts.finish_deletions()

    async def _tidy(self) -> None:
        with contextlib.suppress(StoreAway):
            await self.accounts.forget_attempts()

    def _store(self) -> Store:
        """Return the store of the data set that is played."""
        return Store(self.accounts.store.client, current_run(self._settings).dataset["database"])

    def _answered(self, handler: RequestHandler) -> None:
        self.counts.answered(handler)
        log_answer(handler, addresses=self._settings.player_log_addresses)

    async def _serve(self) -> None:
        open_log(self._settings.var / "player" / "player.log")
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        sockets, port = bind(self._settings)
        self.port = port
        address = self._settings.address_file("player")
        try:
            most = min(self._settings.player_connections, files_allowed() // 2)
            server = Server(self.application(), proxies=self._proxies, most=most)
            server.add_sockets(sockets)
            kernels: PlayerKernels = self.kernel_manager
            self.counts.crowd = kernels
            self.gateway.open()
            os.environ[GATEWAY] = str(self.gateway.path)
            kernels.ticket = self.gateway.ticket
            kernels.open()
            reaper = PeriodicCallback(kernels.reap, 1_000 * kernels.reap_s)
            reaper.start()
            caretaker = PeriodicCallback(self._take_care, 1_000 * _CARE_S)
            caretaker.start()
            tidying = PeriodicCallback(self._tidy, 1_000 * _TIDY_S)
            tidying.start()
            here = url(self.ip, port)
            write_text(address, here + "\n")
            print(f"Listen at {here} (Ctrl-C ends it)", flush=True)
            searching = asyncio.create_task(search_file.keep(self._settings, self._store))
            await stop.wait()
            searching.cancel()
            reaper.stop()
            caretaker.stop()
            tidying.stop()
            server.stop()
            await self.open_answers.wait(_LAST_ANSWERS_S)
            await kernels.end_all()
            await asyncio.to_thread(self.gateway.close)
            await asyncio.to_thread(self.peaks.close)
            await server.close_all_connections()
        finally:
            if address.exists() and address.read_text().strip() == url(self.ip, port):
                address.unlink()
            self.accounts.close()


def _of_current_run(settings: Settings, accounts: AccountStore) -> Callable[[], Source]:
    opened: dict[Path, Source] = {}

    def source() -> Source:
        run = current_run(settings)
        if run.path not in opened:
            dataset = run.dataset
            opened[run.path] = Source(dataset["root"], Store(accounts.client, dataset["database"]).tracks)
        return opened[run.path]

    return source


def _configuration(settings: Settings, notebook: Path, folder: str, limits: Mapping[str, float]) -> Config:
    places = {"at_most": settings.player_visitors, "per_account": settings.player_pages}
    config = Config({"PlayerKernels": places | dict(limits)})
    # Sockets in a folder of our own are closed to other users of the machine, ports are not.
    config.KernelManager.transport = "ipc" if len(folder) <= _LONGEST_FOLDER else "tcp"
    config.VoilaConfiguration.multi_kernel_manager_class = PlayerKernels
    config.VoilaConfiguration.kernel_spec_manager_class = OwnInterpreter
    config.PlayerKernels.log_file = str(settings.var / "player" / "kernels.log")
    config.PlayerKernels.notebook = str(notebook.resolve())
    config.PlayerKernels.current = str(settings.runs / "current")
    config.PlayerKernels.buffer_offline_messages = False
    config.PlayerKernels.kernel_manager_class = f"{PlayerKernel.__module__}.{PlayerKernel.__qualname__}"
    config.PlayerKernels.allow_tracebacks = False
    config.KernelManager.autorestart = False
    config.Session.username = "segue"
    return config
