"""`--strict-skips`: a test that is skipped because something is not installed fails.

For continuous integration, where everything is meant to be there: a skip would hide that it is
not. Skips that say something about the machine itself are allowed, and that of what is too large
to be installed there.
"""

import pytest

ALLOWED = (
    "root may write anywhere",
    "needs leave to mount",
    "a matter of POSIX",
    "on this processor",
    "is large: by hand",
)


def pytest_addoption(parser):
    parser.addoption("--strict-skips", action="store_true", help="a skipped test is a failed one")


def strictly(report, config):
    """The report, failed where it was skipped for a reason that is not allowed."""
    if not config.getoption("--strict-skips") or not report.skipped or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not any(words in reason for words in ALLOWED):
        report.outcome = "failed"
        report.longrepr = f"skipped, which --strict-skips forbids: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    return strictly((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return strictly((yield), collector.config)
