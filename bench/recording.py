"""``bench/recorder``: a full journal is drained; then calls come at a steady pace."""

import argparse
import asyncio
import io
import random
import sys
import time
from contextlib import suppress

import django

django.setup()  # first: what follows imports models

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from bench.believable import BUT_OK, OK, Customer  # noqa: E402
from bench.customers import customers, open_accounts  # noqa: E402
from bench.place import servers  # noqa: E402
from dashboard.instance import ROOT  # noqa: E402
from usage import log_store  # noqa: E402
from usage.journal import Final, Intent, Journal  # noqa: E402
from usage.recorder import Recorder  # noqa: E402

ACCOUNTS = 1000
DECISION = (
    b'{"admitted":true,"limits":[{"name":"requests_per_minute","limit":60,"used":7,"asked":1,'
    b'"remaining":52,"reset":1795000000},{"name":"tokens_per_minute","limit":150000,"used":7000,'
    b'"asked":900,"remaining":142100,"reset":1795000000}],"routes":[{"provider":"openai",'
    b'"outcome":"answered","model":"gpt-4o","began_ms":1,"status":200,"ms":310}]}'
)


def call(chance: random.Random, who: Customer) -> tuple[Intent, Final]:
    """One call that ends right now, as a gateway writes it down."""
    habit, now = chance.choice(who.habits), time.time()
    lot = int(chance.random() * 10_000)
    outcome, status, kind, code, message, _ = BUT_OK[lot] if lot < len(BUT_OK) else OK
    shared = {
        "request_id": f"req_{int(now * 1000):012x}{chance.getrandbits(64):016x}",
        "started_at": now,
        "account_id": who.account,
        "api_key_id": habit.api_key,
        "endpoint": habit.endpoint,
        "requested_model": habit.model,
        "model": habit.model,
        "streamed": habit.streamed,
        "ip": habit.ip,
        "end_user": f"user-{int(chance.random() * who.end_users)}" if who.end_users else "",
    }
    tokens = chance.randrange(1, 2 * habit.prompt), chance.randrange(1 + 2 * habit.answer)
    final = Final(
        **shared,
        provider=habit.provider,
        status_code=status,
        outcome=outcome,
        error_type=kind,
        error_code=code,
        error_message=message,
        prompt_tokens=tokens[0],
        completion_tokens=tokens[1],
        usage_source="provider",
        latency_ms=90 + tokens[1] * habit.pace,
        ttft_ms=90,
        user_agent=habit.agent,
        attempts=1,
        decision=DECISION,
    )
    return Intent(**shared, prompt_tokens=tokens[0]), final


async def write(journal: Journal, everybody: list[Customer], number: int, rate: float) -> None:
    """So many calls, at most ``rate`` a second, into segments as big as those of a gateway."""
    flushing = asyncio.create_task(journal.flush_loop())
    chance, weights = random.Random(1), [customer.weight for customer in everybody]
    began = time.monotonic()
    for done, who in enumerate(chance.choices(everybody, weights, k=number)):
        if done % 50 == 0:
            await asyncio.sleep(max(0.0, began + done / rate - time.monotonic()))
        intent, final = call(chance, who)
        journal.finish(final, journal.intend(intent))
    flushing.cancel()
    with suppress(asyncio.CancelledError):
        await flushing
    journal.close()


def drain(everybody: list[Customer], number: int, rounds: int) -> None:
    for _ in range(rounds):
        asyncio.run(write(Journal(settings.JOURNAL_DIR), everybody, number, rate=1e9))
        began, used = time.monotonic(), time.process_time()
        stored = Recorder(settings.JOURNAL_DIR).run_once()
        took, used = time.monotonic() - began, time.process_time() - used
        print(
            f"{stored:,} rows in {took:.1f} s: {stored / took:,.0f} rows/s;"
            f" the recorder's own processor time allows {stored / used:,.0f} rows/s",
            flush=True,
        )


async def lag(everybody: list[Customer], rate: int, seconds: int) -> None:
    """How old the newest row of the biggest account is, again and again."""
    command = [sys.executable, str(ROOT / "manage.py"), "record_usage"]
    recorder = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    writing = asyncio.create_task(
        write(Journal(settings.JOURNAL_DIR), everybody, rate * seconds, rate)
    )
    began = time.time()
    ages: list[float] = []
    while not writing.done():
        newest = await asyncio.to_thread(log_store.page, everybody[0].account, limit=1)
        moment = newest.rows[0].started_at.timestamp()
        if ages or moment > began:  # the recorder is up
            ages.append(time.time() - moment)
        await asyncio.sleep(0.1)
    await writing
    recorder.terminate()
    await recorder.wait()
    ages.sort()
    print(
        f"at {rate:,} calls/s for {seconds} s the newest row was {ages[len(ages) // 2]:.2f} s old"
        f" in the median, {ages[int(len(ages) * 0.95)]:.2f} s at p95, {ages[-1]:.2f} s at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/recorder", description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with servers():
        call_command("migrate", verbosity=0)
        call_command("load_catalog", str(settings.CATALOG), stdout=io.StringIO())
        open_accounts(ACCOUNTS)
        everybody = customers()
        drain(everybody, options.records, options.rounds)
        asyncio.run(lag(everybody, options.rate, options.seconds))


if __name__ == "__main__":
    main()
