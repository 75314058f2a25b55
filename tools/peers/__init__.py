"""Other people's DCGANs, as they published them, for `tools/bench_peers.py`."""
