"""A Stripe of our own: stateful, over real HTTP, with time to advance. No card is charged.

Tests use it, and so does an instance without Stripe keys. It speaks the part of Stripe's API that
Keyplex asks for, in the version that the official client is pinned to. What it does not simulate it
refuses, rather than to pass over it in silence.
"""
