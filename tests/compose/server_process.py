"""The engine with a server's own users, in a process of its own: ``python server_process.py CONFIG STORE``.

Reads queries, a line of JSON each, and answers with ``[answer, error]``.
"""

import json
import sys


def main():
    """Answer until there is no more."""
    import chdb

    connection = chdb.connect(f"{sys.argv[2]}?config-file={sys.argv[1]}")
    for line in sys.stdin:
        try:
            said = [connection.query(json.loads(line), "TabSeparated").data(), ""]
        except RuntimeError as error:
            said = ["", str(error)]
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
