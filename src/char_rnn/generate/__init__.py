"""A network running on its own output: choosing characters, one after the other.

Read choose.py (a character; filters.py changes its odds), sampler.py (a stream of them), stop.py
(its end), writer.py (a text), batch.py (many), beam.py (the likeliest), session.py (in turns).
"""
