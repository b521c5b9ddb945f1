"""``bench/profile``: where the gateway's time goes under load, by thread, module and function.

py-spy looks at the event loop's thread some hundred times a second. It sees Python only: what the
server and the HTTP client do in threads of their own is in the list of threads.
"""

import argparse
import contextlib
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench import peers
from bench.measure import Kind, measure
from bench.processes import OTHER_CORE, TICKS, of_session, pinned
from bench.subjects import Stage, Subject

RATE = 250  # looks per second; many more would slow down what shares the core with py-spy
LOOP = "_spawn_asgi_lifespan_worker"  # the server's function that runs the event loop
FRAME = re.compile(r"(?P<function>.+) \((?P<file>.+?)(?::\d+)?\)$")
Stack = list[tuple[str, str]]  # from the outermost in: function and file


def worker_of(subject: Subject) -> int:
    """The process that serves: the one with the most processor time so far."""
    return max((int(folder.name) for folder in of_session(subject.leader)), key=ticks)


def ticks(pid: int) -> int:
    return sum(threads(pid).values())


def threads(pid: int) -> dict[str, int]:
    """Processor time of each thread so far; threads of one name together."""
    found: Counter[str] = Counter()
    for folder in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
            fields = rest.split()
            main = "main: event loop" if int(folder.name) == pid else name
            found[main] += int(fields[11]) + int(fields[12])
    return dict(found)


def record(pid: int, seconds: float, path: Path) -> subprocess.Popen[bytes]:
    words = ["record", "--pid", str(pid), "--duration", str(round(seconds)), "--rate", str(RATE)]
    words += ["--format", "raw", "--output", str(path), "--nonblocking"]
    with pinned(OTHER_CORE):
        return subprocess.Popen(
            [str(peers.PY_SPY), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def stacks(path: Path) -> Iterator[tuple[Stack, int]]:
    """What ran on the event loop, and how often it was seen.

    py-spy's raw format: frames parted by semicolons, a blank, a number.
    """
    for line in path.read_text().splitlines():
        frames, _, count = line.partition(LOOP)[2].rpartition(" ")
        if count:
            found = [FRAME.match(frame) for frame in frames.split(";")[1:]]
            stack = [(match["function"], match["file"]) for match in found if match]
            yield stack or [("the loop itself", "uvloop and granian")], int(count)


def module(file: str) -> str:
    """Ours by their path, everybody else by the package."""
    parts = file.removesuffix(".py").split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else parts[0]


def share(title: str, seen: Counter[str], total: int, lines: int) -> None:
    print(f"\n{title}")
    for name, count in seen.most_common(lines):
        print(f"  {100 * count / total:5.1f} %  {name}")


def show(path: Path, lines: int) -> None:
    own: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    below: Counter[str] = Counter()
    total = 0
    for stack, count in stacks(path):
        total += count
        function, file = stack[-1]
        own[f"{function} ({module(file)})"] += count
        modules[module(file)] += count
        below.update(dict.fromkeys((f"{name} ({module(file)})" for name, file in stack), count))
    share("Own time by module", modules, total, lines)
    share("Own time by function", own, total, lines)
    share("Time with everything that was called", below, total, 2 * lines)


def run(options: argparse.Namespace) -> None:
    kind = Kind("profile", options.connections, options.seconds, streamed=options.streamed)
    with contextlib.ExitStack() as stack:
        [subject] = Stage(stack).subjects(["keyplex"])
        measure(subject, Kind("warm-up", options.connections, 2.0))
        pid = worker_of(subject)
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "stacks.txt"
        before = threads(pid)
        free = measure(subject, kind)
        after = threads(pid)
        profiler = record(pid, options.seconds - 1, path)
        watched = measure(subject, kind)
        profiler.wait(timeout=60)
        print(f"\n{free['requests_per_second']:,.0f} requests/s, {free['cpu_us']} µs each;", end="")
        print(f" {watched['requests_per_second']:,.0f}/s while py-spy looked")
        spent = Counter({name: after[name] - before.get(name, 0) for name in after})
        print(f"Processor time by thread, of {sum(spent.values()) / TICKS:.1f} s in all")
        for name, count in spent.most_common(6):
            print(f"  {100 * count / max(1, sum(spent.values())):5.1f} %  {name}")
        show(path, options.lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/profile", description=__doc__)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--streamed", action="store_true")
    parser.add_argument("--lines", type=int, default=15, help="of each list")
    options = parser.parse_args()
    if not peers.PY_SPY.exists():
        sys.exit("bench: py-spy is not installed; see bench/run --install-peers")
    run(options)


if __name__ == "__main__":
    main()
