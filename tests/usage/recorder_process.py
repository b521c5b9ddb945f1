"""A recorder in a process of its own: ``python -m tests.usage.recorder_process FOLDER``."""

import os
import signal
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from usage.recorder import Recorder  # noqa: E402, Django must be set up first

recorder = Recorder(Path(sys.argv[1]))
signal.signal(signal.SIGTERM, lambda *_: recorder.stop())
sys.stdout.write("ready\n")
sys.stdout.flush()
recorder.run()
