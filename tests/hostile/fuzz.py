"""The long run: coverage-guided fuzzing of every target with Atheris, each in a process of its own.

``python -m tests.hostile.fuzz --seconds 3600`` shares the time among the targets; what fails is written to the folder
that ``--out`` names, and tried again with ``python -m tests.hostile.fuzz --target NAME FILE``.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path


def run_target(name: str, arguments: list[str]) -> None:
    """Fuzz one target for ever, or as long as libFuzzer's arguments say."""
    import atheris

    with atheris.instrument_imports(include=["schemas", "streams"], enable_loader_override=False):
        from tests.hostile.targets import TARGETS, seeds
    from tests.hostile.mutate import mutated

    found = seeds()

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        draw = random.Random(seed)
        if draw.random() < 0.5:
            return bytes(atheris.Mutate(data, most))
        return mutated(data or draw.choice(found), draw, found)[:most]

    def one(data: bytes) -> None:
        TARGETS[name](data)

    atheris.Setup([sys.argv[0], *arguments], one, custom_mutator=mutate)
    atheris.Fuzz()


def campaign(seconds: int, out: Path, names: list[str]) -> int:
    """Run every target in turn, and return how many failed."""
    from tests.hostile.targets import TARGETS, seeds

    failed, names = 0, names or list(TARGETS)
    for name in names:
        with tempfile.TemporaryDirectory() as corpus:
            for number, seed in enumerate(seeds()):
                (Path(corpus) / str(number)).write_bytes(seed)
            limits = [f"-max_total_time={max(seconds // len(names), 1)}", "-max_len=20000", "-timeout=20"]
            limits += ["-rss_limit_mb=4096", "-print_final_stats=1", f"-artifact_prefix={out}/{name}-"]
            done = subprocess.run(
                [sys.executable, "-m", "tests.hostile.fuzz", "--target", name, *limits, corpus],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        told = [line for line in done.stderr.splitlines() if "stat::number_of_executed_units" in line]
        print(name, "held" if done.returncode == 0 else "FAILED", *told, flush=True)
        if done.returncode:
            failed += 1
            (out / f"{name}.log").write_text(done.stdout + done.stderr)
    return failed


def main() -> None:
    """Run the campaign, or one target with libFuzzer's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--target")
    given, rest = parser.parse_known_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.target:
        run_target(given.target, rest)
    else:
        raise SystemExit(campaign(given.seconds, given.out, given.only))


if __name__ == "__main__":
    main()
