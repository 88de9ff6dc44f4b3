"""`dagster dev` as a child, looked at through its UI.

Belongs here: what a test runs inside a shell that has evaluated `bist-pipeline env`.
"""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

from bist_pipeline_tests.end_to_end.site import wait_for

_WORKSPACE = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
    jobs { name isAssetJob } sensors { name } } } } }"""


def look_at_dev(port: int) -> None:
    """Start `dagster dev`, write the names of its jobs and sensors as the UI knows them, and interrupt it."""
    process = subprocess.Popen(["dagster", "dev", "-p", str(port)], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        nodes = wait_for("the UI knows the code location", lambda: _nodes(port, process), 90)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    jobs = [job["name"] for node in nodes for job in node["jobs"] if not job["name"].startswith("__")]
    sys.stdout.write(f"{jobs} {[sensor['name'] for node in nodes for sensor in node['sensors']]}\n")


def _nodes(port: int, process: "subprocess.Popen[bytes]") -> list[dict]:
    assert process.poll() is None, "dagster dev has ended"
    body = json.dumps({"query": _WORKSPACE}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["data"]["repositoriesOrError"].get("nodes", [])
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return []


if __name__ == "__main__":
    look_at_dev(int(sys.argv[1]))
