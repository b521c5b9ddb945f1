"""Everything that ``./start`` runs on one host: PostgreSQL, Valkey, and our own processes."""
