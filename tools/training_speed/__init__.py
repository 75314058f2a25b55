"""What `tools/bench_training.py` runs: rows, variants, and the processes that train them."""
