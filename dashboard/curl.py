"""A request of the log as a command to send it again."""

import json
import shlex

from django.conf import settings

from usage.models import RequestLog

KEY = "$API_KEY"
PROMPTS: dict[str, dict[str, object]] = {
    "chat/completions": {"messages": [{"role": "user", "content": "YOUR PROMPT"}]},
    "completions": {"prompt": "YOUR PROMPT"},
    "embeddings": {"input": "YOUR TEXT"},
}


def command(row: RequestLog, body: str = "") -> str:
    """``curl`` to the endpoint and the model that were asked, with the shell's ``API_KEY``.

    ``body`` is what was captured of the request; without it a prompt has to be put in.
    """
    address = f"{settings.PUBLIC_URL}{settings.PRODUCT.base_path}/{row.endpoint}"
    lines = [f"curl {shlex.quote(address)}", f'-H "Authorization: Bearer {KEY}"']
    if row.endpoint in PROMPTS:
        lines += ["-H 'Content-Type: application/json'"]
        lines += [f"-d {shlex.quote(body or placeholder(row))}"]
    return " \\\n  ".join(lines)


def placeholder(row: RequestLog) -> str:
    asked: dict[str, object] = {"model": row.requested_model or row.model or "MODEL"}
    if row.streamed:
        asked["stream"] = True
    return json.dumps(asked | PROMPTS[row.endpoint], ensure_ascii=False)
