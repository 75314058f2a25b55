"""`kgan serve`: pictures of an export over HTTP, drawn by onnxruntime.

What answers needs `pip install kgan[serve]` (or `kgan-runtime[serve]`) and never TensorFlow.
"""
