"""A local Kafka and document store for those who have none."""

from segue.services.control import ServiceStatus, down, fetch, status, up

__all__ = ["ServiceStatus", "down", "fetch", "status", "up"]
