"""How fast and how small: each claim is a race against a peer, `python -m benchmarks [NAME…]`.

One file a claim. Both sides run in the same process and take turns, so that what disturbs one
disturbs the other; the result is a ratio, above 1 where we are ahead.
"""
