"""`./demo`: the main job on one machine, every part a process of its own and real sockets between them.

Starts the box with a state of its own, imports a job, prints its installer link, switches the stations on and lets
things happen until Ctrl-C. Nothing is left behind but what `--keep` asks for. Start at `main`; the story itself is
in `demo_story.py`, the processes in `demo_processes.py`.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.doubles.demo_processes import BoxFailed, as_options, end, free_port, run_command, start_box
from tests.doubles.demo_story import Story, site

HTTP_PORT = 8080
OCPP_PORT = 9000


class Demo:
    """`options` are the command line's. Words go to standard output, or to standard error with `--json`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._words = sys.stderr if options.json else sys.stdout

    def say(self, text: str = "") -> None:
        now = datetime.now().astimezone()  # noqa: TID251 (a person reads it)
        print(f"{now:%H:%M:%S}  {text}" if text else "", file=self._words, flush=True)

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`. Raises BoxFailed."""
        folder = Path(tempfile.mkdtemp(prefix="gatepost-demo-"))
        try:
            await self._run_in(folder, ended)
        finally:
            if self._options.keep:
                self.say(f"Kept: {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)

    async def _run_in(self, folder: Path, ended: asyncio.Event) -> None:
        settings = {"data_dir": str(folder / "box"), **self._ports()}
        cast = site(self._options.charge_points)
        self.say("The box starts …")
        box = await start_box(settings, folder / "box.log")
        try:
            job_file = folder / "job.json"
            job_file.write_text(json.dumps(cast.job_file(), indent=1), "utf-8")
            job = await run_command("job", "import", str(job_file), "--set", f"data_dir={settings['data_dir']}")
            ocpp_url = f"ws://127.0.0.1:{settings['ocpp.port']}"
            self._tell(job, ocpp_url, settings, folder)
            story = Story(cast, ocpp_url, self.say)
            await self._watch(story, box, ended)
        finally:
            self.say("Ending all processes …")
            await end(box)

    async def _watch(self, story: Story, box: asyncio.subprocess.Process, ended: asyncio.Event) -> None:
        """The story, until the demo is ended or the box ends by itself. Raises BoxFailed then."""
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(story.play())
            waits = {tasks.create_task(ended.wait()), tasks.create_task(box.wait())}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in (playing, *waits):
                task.cancel()
        if not ended.is_set():
            raise BoxFailed(f"The box ended by itself with exit code {box.returncode}; run with --keep to read its log")

    def _ports(self) -> dict[str, str]:
        ports = {}
        for key, wanted in (("http.port", HTTP_PORT), ("ocpp.port", OCPP_PORT)):
            port = free_port(wanted)
            if port != wanted:
                self.say(f"Port {wanted} is taken; {key} is {port} instead.")
            ports[key] = str(port)
        return ports

    def _tell(self, job: dict[str, Any], ocpp_url: str, settings: dict[str, str], folder: Path) -> None:
        if self._options.json:
            links = {
                "installer_link": job["link"],
                "local_link": f"http://127.0.0.1:{settings['http.port']}/j#{job['token']}",
                "token": job["token"],
                "job": job["job"],
                "number": job["number"],
                "ocpp_url": ocpp_url,
                "http_url": f"http://127.0.0.1:{settings['http.port']}",
                "data_dir": settings["data_dir"],
                "log": str(folder / "box.log"),
                "console_link": None,
                "console_login": None,
            }
            print(json.dumps(links), flush=True)
            return
        lines = (
            "",
            f"  Installer page of job {job['number']}:   {job['link']}",
            f"  The same on this machine:      http://127.0.0.1:{settings['http.port']}/j#{job['token']}",
            f"  Charge points connect to:      {ocpp_url}/IDENTITY",
            "  Cloud and console:             none; the box runs alone",
            f"  The box as a command:          edge-agent job list {' '.join(as_options(settings)[:2])}",
            "",
            "  Open the page and watch. Ctrl-C ends everything.",
            "",
        )
        print("\n".join(lines), file=self._words, flush=True)


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="A box, a job and its charge points, until Ctrl-C.")
    parser.add_argument("--charge-points", type=int, default=14, metavar="N", help="rows in the job (default 14)")
    parser.add_argument("--offline", action="store_true", help="without the cloud (this version has none)")
    parser.add_argument("--json", action="store_true", help="print the links as one JSON object")
    parser.add_argument("--keep", action="store_true", help="keep the box's state and log")
    found = parser.parse_args(arguments)
    if not 1 <= found.charge_points <= 500:
        parser.error("--charge-points: between 1 and 500")
    return found


async def play(arguments: argparse.Namespace) -> int:
    """The exit code."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    demo = Demo(arguments)
    try:
        await demo.run(ended)
    except BoxFailed as failed:
        print(f"demo: {failed}", file=sys.stderr)
        return 1
    return 0


def main() -> None:
    """Entry of `python -m tests.doubles.demo`."""
    sys.exit(asyncio.run(play(options())))


if __name__ == "__main__":
    main()
