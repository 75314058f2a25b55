import pytest

for needed in ("prometheus_client", "starlette", "uvicorn"):
    pytest.importorskip(needed, reason="needs kgan[serve]")
