"""PyTorch, whose numbers some tests compare with; without it those tests alone are skipped."""

import pytest

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
