#!/usr/bin/env python
"""Every command of the project; works beside a running ./start with no other setup."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # above all a catalogue file that is not right
        sys.exit(f"CommandError: {error}")
