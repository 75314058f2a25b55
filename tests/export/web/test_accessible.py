"""The page as axe-core judges it, for those who hear it, see little or use no mouse."""

import hashlib
import shutil
import subprocess
import tarfile

import pytest

pytestmark = pytest.mark.slow
AXE = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """axe-core's script, from npm, which keeps what it fetched."""
    place = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    words = [npm, "pack", "--silent", "--prefer-offline", f"axe-core@{AXE}"]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm could not fetch axe-core: {done.stderr[:200]}")
    with tarfile.open(place / f"axe-core-{AXE}.tgz") as package:
        script = package.extractfile("package/axe.min.js").read()
    assert hashlib.sha256(script).hexdigest() == SHA256
    return script.decode()


def violations(page):
    """What axe finds: (rule, what it is about)."""
    found = page.tab.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]


def test_axe_finds_nothing(classes_url, attributes_url, visit, axe):
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    for url, context, tabs in (
        (attributes_url, {}, ("sliders",)),
        (classes_url, phone, ("sliders", "between", "sum")),
    ):
        page = visit(url, **context)
        page.tab.add_script_tag(content=axe)
        page.tab.click("summary")
        page.tab.click("#more")
        page.tab.fill("#seed", "-1")
        page.tab.press("#seed", "Enter")
        page.tab.wait_for_selector("#note")
        for tab in tabs:
            page.tab.click(f"#tab-{tab}")
            assert violations(page) == []
    # It would find something:
    page.tab.evaluate("document.getElementById('save').textContent = ''")
    assert "button-name" in [rule for rule, _ in violations(page)]
