"""The one kernel that there is, as Jupyter describes it."""

from __future__ import annotations

import sys
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

from segue.player.forking import provisioner

KERNEL = "python3"


class OwnInterpreter(KernelSpecManager):
    """Knows one kernel: a fork of this interpreter, whatever kernelspecs a person has installed."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the one kernel's name."""
        return {KERNEL: ""}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return how the kernel is started."""
        if kernel_name != KERNEL:
            raise NoSuchKernel(kernel_name)
        return KernelSpec(
            argv=[sys.executable, "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            metadata=provisioner.register(),
        )

    def get_all_specs(self) -> dict[str, Any]:
        """Return the one kernel as Jupyter's API describes it."""
        return {KERNEL: {"resource_dir": "", "spec": self.get_kernel_spec(KERNEL).to_dict()}}


class PlayerKernel(ServerKernelManager):
    """One kernel's process."""

    def emit(self, schema_id: str, data: dict[str, Any]) -> None:
        """Say nothing: nobody listens to Jupyter's events here, and each kernel would load their schemas."""
