"""How fast the gateway is, beside the limit of Python and its peers; ``bench/run`` is the door."""
