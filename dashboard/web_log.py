"""What the web server writes down of the requests that Django answers."""

import logging


class Brief(logging.Filter):
    """A traceback only where we failed: what a visitor may not do is one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR:
            record.exc_info = None
        return True
