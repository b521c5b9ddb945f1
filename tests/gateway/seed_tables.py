"""What the documentation of the two products promises, table by table.

Every row begins with its line in ``keyplex.txt`` or ``keymeai.txt``.
"""

from typing import Any

K, M = 1000, 1_000_000
Rows = list[tuple[int, str, dict[str, Any]]]


def model(best_for: str, window: int | None = None, provider: str | None = None) -> dict[str, Any]:
    """What ``GET models`` says of it; a table has either windows or providers."""
    said = {"best_for": best_for, "context_window": window, "owned_by": provider}
    return {name: value for name, value in said.items() if value}


def embedding(dimensions: int, max_input: int) -> dict[str, Any]:
    return {"kind": "embedding", "dimensions": dimensions, "context_window": max_input}


MODELS: dict[str, Rows] = {
    "keyplex": [
        (80, "gpt-5.2", model("Most capable, complex reasoning, coding", 256 * K)),
        (82, "gpt-5.2-mini", model("Balanced performance and speed", 128 * K)),
        (84, "gpt-5.2-nano", model("Fast responses, simple tasks", 32 * K)),
        (86, "o3", model("Advanced reasoning, math, science", 200 * K)),
        (88, "o3-mini", model("Efficient reasoning tasks", 128 * K)),
        (92, "claude-opus-4.5", model("Most capable Claude, complex analysis", 500 * K)),
        (94, "claude-sonnet-4.5", model("Balanced performance, general use", 200 * K)),
        (96, "claude-haiku-4.5", model("Fast responses, cost-effective", 200 * K)),
        (100, "gemini-3-pro", model("Multimodal, long context, research", 2 * M)),
        (102, "gemini-3-flash", model("Fast multimodal processing", 1 * M)),
        (106, "grok-4", model("Real-time knowledge, direct responses", None, "xAI")),
        (108, "mistral-3-large", model("European AI, enterprise deployments", None, "Mistral AI")),
        (110, "mistral-3-medium", model("Balanced, cost-effective", None, "Mistral AI")),
        (112, "llama-4-405b", model("Open-weight, research, customization", None, "Meta")),
        (114, "llama-4-70b", model("Efficient open-source alternative", None, "Meta")),
        (116, "deepseek-v3", model("Coding, technical tasks", None, "DeepSeek")),
        (214, "text-embedding-3-large", embedding(3072, 8191)),
        (216, "text-embedding-3-small", embedding(1536, 8191)),
        (218, "voyage-3", embedding(1024, 32000)),
        (512, "openai/gpt-4o", {"owned_by": "OpenAI"}),
        (513, "openai/gpt-4o-mini", {"owned_by": "OpenAI"}),
        (514, "openai/gpt-4-turbo", {"owned_by": "OpenAI"}),
        (515, "openai/o1", {"owned_by": "OpenAI"}),
        (516, "anthropic/claude-3.5-sonnet", {"owned_by": "Anthropic"}),
        (517, "anthropic/claude-3.5-haiku", {"owned_by": "Anthropic"}),
        (518, "anthropic/claude-3-opus", {"owned_by": "Anthropic"}),
        (519, "google/gemini-2.0-flash-exp:free", {}),
        (521, "google/gemini-pro-1.5", {}),
        (523, "mistralai/mistral-large", {}),
        (524, "meta-llama/llama-3.1-405b-instruct", {"owned_by": "Meta"}),
        (525, "deepseek/deepseek-chat", {"owned_by": "DeepSeek"}),
    ],
    "keymeai": [
        (37, "deepseek-chat", model("General purpose, coding, analysis", None, "DeepSeek")),
        (38, "deepseek-reasoner", model("Math, logic, complex reasoning", None, "DeepSeek")),
        (39, "doubao-pro-32k", model("Long documents, 32K context", 32 * K, "ByteDance")),
        (40, "qwen-max", model("Creative writing, multi-language", None, "Alibaba Cloud")),
        (41, "qwen-plus", model("Fast, cost-effective throughput", None, "Alibaba Cloud")),
    ],
}
PLANS: dict[str, Rows] = {  # with what follows X-RateLimit-Limit- in its headers
    "keyplex": [
        (317, "Free Trial", {"requests": 20, "tokens": 40_000, "tokens-day": 100_000}),
        (318, "Monthly", {"requests": 60, "tokens": 150_000, "tokens-day": 1_000_000}),
        (319, "3 Months", {"requests": 100, "tokens": 250_000, "tokens-day": 2_000_000}),
        (320, "12 Months", {"requests": 200, "tokens": 500_000, "tokens-day": 5_000_000}),
        (321, "Enterprise", {}),
    ],
    "keymeai": [
        (47, "Free", {"requests-day": 100}),
        (48, "Hobby", {"tokens-month": 5_000_000}),
        (49, "Standard", {}),
        (50, "Scale", {}),
    ],
}
KEYS = {"keyplex": r"kpx_[0-9A-Za-z]{48}", "keymeai": r"km-[0-9A-Za-z]{48}"}  # 59, and 4
BASES = {"keyplex": "/api/v1/", "keymeai": "/v1/"}  # 4, and 2
