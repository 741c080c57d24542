"""A network running on its own output: choosing characters, one after the other.

Read choose.py (a character; filters.py changes its odds), sampler.py (a stream of them), stop.py
(where it ends), writer.py (a text), batch.py (many), beam.py (the likeliest; hypotheses.py ranks
them), session.py (in turns); door.py is where
bytes become texts, and texts bytes.
"""
