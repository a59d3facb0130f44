"""What the name or address of a host says."""

import ipaddress


def loopback(host: str) -> bool:
    """Tell whether an address that is bound is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
