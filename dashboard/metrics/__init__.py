"""``/metrics``: how this instance is doing, for Prometheus, computed when it asks.

Nothing is counted while calls are served. What is about everybody comes from PostgreSQL and Redis,
so every web worker of every host says the same; the rest is about this host or this process.
"""
