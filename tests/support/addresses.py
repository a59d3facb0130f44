"""Requests from another address of this machine."""

from requests.adapters import HTTPAdapter


class From(HTTPAdapter):
    """Asks from an address of this machine."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **more):
        """Bind it."""
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **more)
