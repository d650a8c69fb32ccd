"""A box that has started does not search what stays, and gives back what it needed only to start."""

import gc
import subprocess
import sys
from pathlib import Path

from edge_agent.certificates.authority import make_root

ROOT = Path(__file__).parents[2]
PROGRAM = """
import gc
from edge_agent import footprint

def resident():
    return int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0])

kept = [[[]] for number in range(10_000)]
freed = ["x" * (600 + number % 50) for number in range(20_000)]
last = "x" * 1000
del freed
before = resident()
footprint.settle()
print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0] == footprint.YOUNG, before - resident() > 8_000)
"""


def test_what_is_there_is_never_searched_again_and_what_is_free_is_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "True", "True"], said


def test_importing_it_changes_nothing() -> None:
    assert gc.get_threshold()[0] == 700


LOADING = """
import os, ssl, sys
from pathlib import Path
from edge_agent import footprint

Path(sys.argv[1], "a_client.py").write_text("import ssl; context = ssl.create_default_context()")
sys.path.insert(0, sys.argv[1])
os.environ["SSL_CERT_FILE"] = sys.argv[2]
os.environ.pop("SSL_CERT_DIR", None)
footprint.load_sparingly("a_client")
import a_client, mimetypes
print(len(a_client.context.get_ca_certs()), len(ssl.create_default_context().get_ca_certs()))
print(os.environ["SSL_CERT_FILE"] == sys.argv[2], "SSL_CERT_DIR" in os.environ)
print(mimetypes.guess_type("log.zip")[0], mimetypes.guess_type("a.sqlite3")[0])
"""


def test_what_is_loaded_sparingly_has_no_authorities_and_what_comes_later_has_them(tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(make_root("gate", bits=2048).certificate_pem)
    said = subprocess.run(
        [sys.executable, "-c", LOADING, str(tmp_path), str(root)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["0", "1", "True", "False", "application/zip", "None"], said


LATER = """
import os, sys
from pathlib import Path
from edge_agent import footprint

Path(sys.argv[1], "a_module.py").write_text("from urllib.request import getproxies, proxy_bypass")
sys.path.insert(0, sys.argv[1])
os.environ["http_proxy"] = "http://127.0.0.1:3128"
footprint.load_sparingly("a_module")
import a_module
print("urllib.request" in sys.modules, a_module.getproxies().get("http"), "urllib.request" in sys.modules)
import urllib.request
print(urllib.request.Request.__name__)
"""


def test_what_a_module_only_names_is_loaded_when_it_is_called(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", LATER, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["False", "http://127.0.0.1:3128", "True", "Request"], said


TABLES = """
import sys
from pathlib import Path
from edge_agent import footprint

Path(sys.argv[1], "a_module.py").write_text("import html; import idna")
sys.path.insert(0, sys.argv[1])
footprint.load_sparingly("a_module")
import a_module
print("html.entities" in sys.modules, "idna" in sys.modules)
print(a_module.html.unescape("&eacute;&amp;&nothing;&notit;").encode("utf-8").hex())
print(a_module.idna.encode("z\u00e4hler.example").decode())
import html.entities
print(len(html.entities.html5) > 2000)
"""


def test_tables_are_loaded_by_who_looks_into_them(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", TABLES, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    expected = ["False", "False", "\u00e9&\u00aching;\u00acit;".encode().hex(), "xn--zhler-gra.example", "True"]
    assert said.stdout.split() == expected, said
