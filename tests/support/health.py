"""What a worker's health page says, for tests that wait for it."""

import requests


def lag(host, port):
    """Records that wait behind the last acknowledged one; a question mark where nobody answers."""
    try:
        return requests.get(f"http://{host}:{port}/health", timeout=60).json()["lag"]
    except (requests.RequestException, ValueError):
        return "?"
