"""A gateway without a network: serves made-up calls until it is killed, and says what it did.

``python -m tests.usage.writer_process FOLDER ACCOUNT SEED``. A line is printed after each step:
``i ID`` a call was intended, ``p ID TOKENS`` so much was delivered, ``f ID TOKENS`` it ended.
"""

import asyncio
import random
import sys
from pathlib import Path

from tests.usage.calls import make_final, make_intent
from usage.journal import Journal

directory, account, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
journal = Journal(directory)
chance = random.Random(seed)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def call() -> None:
    intent = make_intent(account_id=account, lease="lease")
    slot = journal.intend(intent)
    say("i", intent.request_id)
    tokens = 0
    for _ in range(chance.randrange(8)):
        await asyncio.sleep(chance.random() / 50)
        tokens += chance.randrange(1, 100)
        journal.progress(slot, tokens)
        say("p", intent.request_id, tokens)
    final = make_final(
        *(intent.request_id,),
        started_at=intent.started_at,
        account_id=account,
        prompt_tokens=10,
        completion_tokens=tokens,
    )
    journal.finish(final, slot)
    say("f", intent.request_id, tokens)


async def keep_calling() -> None:
    while True:
        await call()


async def main() -> None:
    await asyncio.gather(journal.flush_loop(), *(keep_calling() for _ in range(20)))


asyncio.run(main())
