"""Jupyter's way to a kernel, by a fork."""

from __future__ import annotations

import os
import socket
from importlib.metadata import EntryPoint
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from segue.player.forking.client import ForkServer

NAME = "segue-forked"


class ForkedProvisioner(LocalProvisioner):
    """Has a kernel forked where jupyter_client's own starts a program.

    Attributes
    ----------
    leash
        The server's end of the kernel's leash, once it is launched.
    """

    leash: socket.socket
    process: Any

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel that runs the notebook of the kernels' manager."""
        kernels = self.parent.parent
        forks: ForkServer = kernels.forks
        self.leash, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.cwd = kwargs["cwd"]
        request = {
            "connection_file": self.parent.connection_file,
            "environment": {**kwargs["env"], "VOILA_KERNEL_ID": self.kernel_id},
            "folder": os.fspath(self.cwd),
            "notebook": kernels.notebook,
        }
        try:
            with its:
                self.process = await forks.fork(request, its)
        except BaseException:
            self.leash.close()
            raise
        self.pid = self.process.pid
        return self.connection_info


def register() -> dict[str, Any]:
    """Make the provisioner known and return what a kernelspec's metadata says to have it."""
    factory = KernelProvisionerFactory
    target = f"{ForkedProvisioner.__module__}:{ForkedProvisioner.__qualname__}"
    factory.provisioners[NAME] = EntryPoint(NAME, target, factory.GROUP_NAME)
    return {"kernel_provisioner": {"provisioner_name": NAME}}
