"""Every page of the console over thirty days of five million events: ``python -m tests.benchmarks.pages``.

The store is in a process of its own, as a history worker's is, and the console asks it as it does in an installation.
A line a page: the first load after the start, the median and the worst of those after it, in milliseconds, how often
longer than the form for signing in the median takes, because ratios travel and milliseconds do not, and the median of
the processor time that store and console took meanwhile, which a busy machine changes little.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
import time
from datetime import UTC, datetime

import psutil

from streams.console import asking
from streams.console.kept import QUESTIONS
from tests.benchmarks.bench_kpis import SERVICES, SINCE, UNTIL
from tests.benchmarks.pages.history import serve, settings_of
from tests.support.console import held, signed_in
from tests.support.incidents.entries import START, act, back, page

NANO = 1_000_000_000
LACKS = ("does not answer", "Nothing is known", "being prepared")
WANTED_MS = 300
TRIVIAL = "/console/sign-in"
INCIDENTS = 200
PAGES = (
    "/console/", "/console/?q=service-1&state=watch", "/console/incidents", "/console/incidents?state=&service=service-3",
    "/console/incidents.csv", "/console/incidents/inc-p190", "/console/incidents/inc-p191",
    "/console/review", "/console/review/disagreements", "/console/findings", "/console/findings?state=all&page=3",
    "/console/backtest", "/console/telemetry", "/console/telemetry?service=service-3",
    *(f"/console/services/service-3?days={days}" for days in (1, 7, 30)),
    *(f"/console/kpis?days={days}" for days in (1, 7, 30)), "/console/kpis?service=service-3",
    "/console/changes", "/console/changes?days=30", "/console/approvals",
)  # fmt: skip


def incidents():
    """Return findings, recoveries and actions of the month: most incidents are over, the newest are not."""
    apart = (UNTIL - SINCE) / INCIDENTS
    for number in range(INCIDENTS):
        began = (SINCE + number * apart).timestamp() - START / NANO
        name, service = f"p{number}", f"service-{number % SERVICES}"
        yield page(name, began, service=service, family="unsafe", metric="unsafe_served", rate=0.05, baseline=0.01)
        yield act("acknowledge", began + 300, f"inc-{name}")
        if number < INCIDENTS - 5:
            yield back(name, began + 5_400, service=service, family="unsafe", metric="unsafe_served")


async def loaded(browser, path, processes):
    """Return the milliseconds that a page takes, by the clock and of the processor, and what it lacks."""
    began, spent = time.perf_counter(), processor(processes)
    answer = await browser.get(path)
    taken = 1e3 * (time.perf_counter() - began), 1e3 * (processor(processes) - spent)
    assert answer.status_code == 200, (path, answer.status_code)
    return *taken, ", ".join(text for text in LACKS if text in answer.text)


def processor(processes):
    """Return the seconds of processor time that processes took."""
    return sum(sum(each.cpu_times()[:2]) for each in processes)


async def warm(kept):
    """Begin to ask in good time, and wait for the first answers."""
    began = time.perf_counter()
    await kept.start()
    while len(kept._answers) < len(QUESTIONS):  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0.1)
    print(f"what is asked in good time was there {time.perf_counter() - began:.1f} s after the start")


async def measured(settings, store, rounds, only):
    """Print a line a page; the rounds go over all pages in turn, so that what else the machine does hits all alike."""
    asking.PATIENCE_SECONDS = 60  # on a busy machine too the whole page is measured
    work = held(settings, *incidents())
    work._incident_log.clock.note(int(datetime.now(UTC).timestamp()) * NANO, time.time_ns())
    browser, processes = await signed_in(work), [psutil.Process(), psutil.Process(store)]
    await warm(*browser.application.state.beside)
    found = {path: [] for path in (TRIVIAL, *(each for each in PAGES if only in each))}
    for _ in range(rounds + 1):
        for path, so_far in found.items():
            so_far.append(await loaded(browser, path, processes))
    unit = statistics.median(taken for taken, *_ in found[TRIVIAL][1:])
    print(f"{'page':44} {'first':>7} {'median':>7} {'worst':>7} {'processor':>9} {'ratio':>9}")
    for path, ((first, *_), *after) in found.items():
        times, spent, lacks = zip(*after, strict=True)
        median = statistics.median(times)
        print(f"{path:44} {first:7.0f} {median:7.0f} {max(times):7.0f} {statistics.median(spent):9.0f} {median / unit:7.0f} x"
              f"{f' over {WANTED_MS} ms' if median > WANTED_MS else ''} {lacks[-1]}", flush=True)  # fmt: skip


def main():
    """Fill, load, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="pages whose address holds this")
    parser.add_argument("--folder", default="", help="where the store is, and stays for another run; else it goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or made
        fresh = multiprocessing.get_context("spawn")
        port, told = fresh.Pipe(duplex=False)
        store = fresh.Process(target=serve, args=(folder, told), daemon=True)
        store.start()
        told.close()
        asyncio.run(measured(settings_of(folder, port.recv()), store.pid, given.rounds, given.only))
        store.kill()
        store.join()


if __name__ == "__main__":
    main()
