"""Finds what looks like a secret in a text: ``… | python -m tests.platform.secret_scan``.

A key in an example has to say that it is one: by a word, or by letters in their order.
"""

import math
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise

RULES = {
    "a key of this product": r"\b(?:kpx_|km-)[A-Za-z0-9]{48}\b",
    "a key of Stripe": r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}",
    "a secret of webhooks": r"\bwhsec_[A-Za-z0-9+/=]{24,}",
    "a key of a provider": r"\bsk-(?:(?:proj|ant|or)-)?[A-Za-z0-9_-]{20,}",
    "a key of Groq or xAI": r"\b(?:gsk_|xai-)[A-Za-z0-9]{20,}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a key of Google": r"\bAIza[0-9A-Za-z_-]{35}",
    "a token of GitHub": r"\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{40,})",
    "a token of GitLab": r"\bglpat-[\w-]{20,}",
    "a token of Slack": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "a token of Hugging Face": r"\bhf_[A-Za-z0-9]{30,}",
    "a token to publish with": r"\b(?:pypi-AgE[\w-]{50,}|npm_[A-Za-z0-9]{36})",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s*$|\\n[A-Za-z0-9+/]{60,})",
    "a password in an address": r"\b[a-z][a-z+]+://[\w.-]*:[^\s:@/${}<>\"'\[\]]{8,}@[\w.-]+",
    "a secret that is set": r"(?i)(?:secret|passw(?:or)?d|token|api_?key|pepper)\w*[\"']?"
    r"\s*[=:]\s*[\"']?([A-Za-z0-9+/=_-]{28,})",
}
FOUND = {name: re.compile(rule) for name, rule in RULES.items()}
SAYS_SO = re.compile(
    r"example|hunter2|simulated|instead|bench|secret|password|redacted|x{6}|generate", re.I
)
PUBLISHED = {  # in the documentation of others, where all the world has read them
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_br3/tqK3Q0Fu5NiMV081bixC+1+/D9N1rNMdKYeLarI=",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
}
IN_ORDER = 6  # letters or digits, one after the other as in the alphabet
LEAST_BITS = 3.6  # a letter: random ones of such a length have 4 and more, words and names less


def findings(lines: Iterable[str]) -> Iterator[str]:
    """What it is and how it begins; never all of it, for what reports it is kept, too."""
    for number, line in enumerate(lines, 1):
        for name, rule in FOUND.items():
            for match in rule.finditer(line):
                secret = match[match.lastindex or 0]
                if not is_example(secret) and not (match.lastindex and bits(secret) < LEAST_BITS):
                    yield f"line {number}: {name}: {secret[:12]}…"


def is_example(secret: str) -> bool:
    steps = "".join(str(int(ord(b) - ord(a) == 1)) for a, b in pairwise(secret))
    repeated = re.search(r"(\w{1,8})\1{3}", secret)
    in_order = "1" * (IN_ORDER - 1) in steps
    return secret in PUBLISHED or bool(SAYS_SO.search(secret) or repeated) or in_order


def bits(text: str) -> float:
    """How much a letter of it surprises, on average."""
    shares = [text.count(letter) / len(text) for letter in set(text)]
    return -sum(share * math.log2(share) for share in shares)


if __name__ == "__main__":
    found = list(findings(line.rstrip("\n") for line in sys.stdin))
    sys.stdout.write("".join(f"{finding}\n" for finding in found) + f"{len(found)} findings.\n")
    sys.exit(bool(found))
