"""One emitter in workers that fork, as under gunicorn --preload: python examples/fork_workers.py BROKER"""

import multiprocessing
import sys

from schemas.emitter import Emitter

emitter = Emitter.to_kafka(sys.argv[1], source="shop/assistant", service_name="assistant")


def work(number: int) -> None:
    """Each child has an empty queue, a connection and counts of its own; at its end it sends what waits."""
    emitter.inference(session_id=f"worker-{number}", request_model="gpt-4o", outcome="success")
    arrival = emitter.check()
    sys.stdout.write(f"worker {number}: {arrival.problem or 'arrived'}\n")  # in one piece: both write to one stream


if __name__ == "__main__":
    emitter.inference(session_id="parent", request_model="gpt-4o")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(work, range(2), chunksize=1)
