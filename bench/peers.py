"""Other gateways, each in a folder of its own under var/bench/peers, in their fastest settings."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from dashboard.instance import ROOT

FOLDER = ROOT / "var" / "bench" / "peers"
LITELLM = FOLDER / "litellm" / "bin" / "litellm"
PY_SPY = FOLDER / "py-spy" / "bin" / "py-spy"
PORTKEY = FOLDER / "portkey" / "node_modules" / "@portkey-ai" / "gateway"
LITELLM_KEY = "sk-bench-master-key-of-some-length"

# Without httptools its server parses HTTP in Python; without OpenTelemetry it looks for that anew
# on each request. Both together cost half its speed.
LITELLM_PACKAGES = (
    *("litellm[proxy]", "httptools", "opentelemetry-api", "opentelemetry-sdk"),
    "opentelemetry-exporter-otlp",
)
LITELLM_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
}
LITELLM_CONFIG = """\
model_list:
  - model_name: {model}
    litellm_params: {{model: openai/bench, api_base: "{upstream}", api_key: bench}}
general_settings: {{master_key: {key}}}
litellm_settings: {{telemetry: false, set_verbose: false, num_retries: 0}}
"""


def install() -> None:
    """Fetch what is missing, with the ordinary package clients."""
    if not LITELLM.exists():
        install_python(FOLDER / "litellm", *LITELLM_PACKAGES)
    if not PY_SPY.exists():
        install_python(FOLDER / "py-spy", "py-spy")
    if not PORTKEY.exists():
        folder = FOLDER / "portkey"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")  # or npm would add to one further up
        options = ["--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(["npm", "install", *options, "@portkey-ai/gateway"], cwd=folder, check=True)


def install_python(folder: Path, *packages: str) -> None:
    """An environment of its own; compiled now, or a read-only start would compile each time."""
    print(f"Installing {packages[0]} …", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True)
    subprocess.run([python, "-m", "compileall", "-qq", str(folder / "lib")], check=False)


def versions() -> dict[str, str]:
    """Which peers are installed."""
    found = {}
    if LITELLM.exists():
        code = "import importlib.metadata as m; print(m.version('litellm'))"
        command = [str(LITELLM.with_name("python")), "-c", code]
        found["litellm"] = subprocess.check_output(command, text=True).strip()
    if PORTKEY.exists():
        found["@portkey-ai/gateway"] = json.loads((PORTKEY / "package.json").read_text())["version"]
        found["node"] = subprocess.check_output(["node", "--version"], text=True).strip()
    return found


def litellm_command(folder: Path, *, port: int, upstream: str, model: str) -> list[str]:
    """The proxy without a database: no accounts, no limits, no log; one worker."""
    config = folder / "litellm.yaml"
    config.write_text(LITELLM_CONFIG.format(model=model, upstream=upstream, key=LITELLM_KEY))
    options = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    return [str(LITELLM), *options, "--num_workers", "1"]


def portkey_command(*, port: int) -> list[str]:
    node = shutil.which("node")
    if node is None:
        sys.exit("bench: Portkey is installed, but node is not")
    return [node, str(PORTKEY / "build" / "start-server.js"), f"--port={port}", "--headless"]
