"""The operators' room at ``/ops/``: what is wrong, and what can be done about it, on record."""
