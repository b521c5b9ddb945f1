"""``bench/run``: everybody in turn, round after round, in one session; a table and a JSON file."""

import argparse
import contextlib
import signal
import sys

from bench import peers, report
from bench.measure import Kind, measure
from bench.subjects import Stage, Subject

SUBJECTS = ["direct", "forwarder", "keyplex", "litellm", "portkey"]


def kinds_of(seconds: float, *, frontier: bool) -> list[Kind]:
    """``frontier`` adds loads from far below to far above what a worker can do, and 512 streams."""
    streams = max(2.6, seconds)
    kinds = [
        Kind("32 connections", connections=32, seconds=seconds),
        Kind("1 connection", connections=1, seconds=seconds / 2),
        Kind("64 streams", connections=64, seconds=streams, streamed=True),
    ]
    if frontier:
        kinds += [
            Kind(f"{number} connections", connections=number, seconds=seconds)
            for number in report.FRONTIER
        ]
        kinds.append(Kind("512 streams", connections=512, seconds=2 * streams, streamed=True))
    return kinds


def play(subjects: list[Subject], kinds: list[Kind], number: int) -> report.Round:
    """One round; every round begins with somebody else."""
    turn = number % len(subjects)
    results: report.Round = {subject.name: {} for subject in subjects}
    for kind in kinds:
        for subject in subjects[turn:] + subjects[:turn]:
            figures = results[subject.name][kind.name] = measure(subject, kind)
            print(
                f"  {kind.name:15} {subject.name:10} {figures['requests_per_second']:>9,.1f}/s"
                f"   p50 {figures['latency_ms'].get('p50', 0):>9,.2f} ms"
                f"   cores busy {figures['busy_percent']} %, by strangers"
                f" {figures['strangers_percent']} %",
                flush=True,
            )
    return results


def run(options: argparse.Namespace) -> None:
    rounds: list[report.Round] = []
    with contextlib.ExitStack() as stack:
        subjects = Stage(stack).subjects(options.subjects)
        for subject in subjects:  # compilers and caches get warm, unmeasured
            measure(subject, Kind("warm-up", connections=32, seconds=options.seconds))
        for number in range(options.rounds):
            print(f"Round {number + 1} of {options.rounds}", flush=True)
            kinds = kinds_of(options.seconds, frontier=options.frontier)
            rounds.append(play(subjects, kinds, number))
    path = report.save(rounds, {"rounds": options.rounds, "seconds": options.seconds})
    print("", report.table(report.medians(rounds)), "", sep="\n")
    print(report.comparisons_table(rounds), "", *report.remarks(rounds), sep="\n")
    print(f"\nWritten to {path}")


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    parser.add_argument("--frontier", action="store_true", help="more loads, and 512 streams")
    parser.add_argument("--install-peers", action="store_true", help="install, measure nothing")
    parser.add_argument("subjects", nargs="*", default=SUBJECTS, help=", ".join(SUBJECTS))
    options = parser.parse_args()
    if unknown := set(options.subjects) - set(SUBJECTS):
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    if options.install_peers:
        peers.install()
        return
    if options.quick:
        options.rounds, options.seconds = 2, 2.0
    signal.signal(signal.SIGTERM, interrupted)
    try:
        run(options)
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; everything that it started has ended")


if __name__ == "__main__":
    main()
