"""A small marketplace on loopback that behaves, and misbehaves, as real platforms do.

It ships with the product: the demo runs against it, and every crawler test does. It keeps its own log of
what really happened, which the demo's figures are compared with. Start it with
``python -m takedowns.sample_market`` or, from Python, with
:func:`takedowns.sample_market.client.running_market`.
"""
