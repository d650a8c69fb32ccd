"""`./demo`: the main job on one machine, every part a process of its own and real sockets between them.

Starts cloud and box with a state of their own, makes a job in the cloud, prints its links, switches the stations on and
lets things happen until Ctrl-C. Nothing is left behind but what `--keep` asks for. Start at `main`; the story itself is
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
from functools import partial
from pathlib import Path
from typing import Any

from tests.doubles.demo_cloud import DemoCloud, start_cloud, until_delivered
from tests.doubles.demo_processes import BoxFailed, end, free_port, run_command, start_box
from tests.doubles.demo_story import Site, Story, site
from tests.doubles.house_meter import add_meter, charging_at, house_meter

HTTP_PORT = 8080
OCPP_PORT = 9000
CLOUD_PORT = 8090


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
        processes: list[asyncio.subprocess.Process] = []
        try:
            cloud = None if self._options.offline else await self._cloud(folder, cast, processes)
            if cloud is not None:
                settings |= {"relay.url": cloud.relay_url, "relay.claim": cloud.claim}
            self.say("The box starts …")
            processes.append(await start_box(settings, folder / "box.log"))
            job = await self._job(cloud, cast, settings, folder)
            ocpp_url = f"ws://127.0.0.1:{settings['ocpp.port']}"
            box = f"http://127.0.0.1:{settings['http.port']}"
            async with house_meter(partial(charging_at, box, job["token"]), turned=["l3"]) as port:
                await add_meter(box, job["token"], port)
                self._tell(links_of(job, cloud, settings, ocpp_url, folder))
                await self._watch(Story(cast, ocpp_url, self.say), processes, ended)
        finally:
            self.say("Ending all processes …")
            for process in reversed(processes):
                await end(process)

    async def _cloud(self, folder: Path, cast: Site, processes: list[asyncio.subprocess.Process]) -> DemoCloud:
        self.say("The cloud starts …")
        port = self._port("http.port of the cloud", CLOUD_PORT)
        cloud = await start_cloud(folder, port, cast.job_file()["site"]["name"])
        processes.append(cloud.process)
        return cloud

    async def _job(self, cloud: DemoCloud | None, cast: Site, settings: dict[str, str], folder: Path) -> dict[str, Any]:
        """Made in the cloud and brought to the box by the relay; alone, the box imports it."""
        if cloud is None:
            job_file = folder / "job.json"
            job_file.write_text(json.dumps(cast.job_file(), indent=1), "utf-8")
            found: dict[str, Any] = await run_command(
                "job", "import", str(job_file), "--set", f"data_dir={settings['data_dir']}"
            )
            return found
        job = await cloud.make_job(cast.job_file())
        self.say(f"Job {job['number']} is made in the cloud; the box fetches it …")
        await until_delivered(f"http://127.0.0.1:{settings['http.port']}", job["token"])
        found = await run_command("job", "link", job["number"], "--set", f"data_dir={settings['data_dir']}")
        return {**job, "link": found["link"]}

    async def _watch(self, story: Story, processes: list[asyncio.subprocess.Process], ended: asyncio.Event) -> None:
        """The story, until the demo is ended or a process ends by itself. Raises BoxFailed then."""
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(story.play())
            waits = {tasks.create_task(ended.wait()), *(tasks.create_task(each.wait()) for each in processes)}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in (playing, *waits):
                task.cancel()
        if not ended.is_set():
            codes = [each.returncode for each in processes if each.returncode is not None]
            raise BoxFailed(f"Box or cloud ended by itself with exit code {codes[0]}; run with --keep to read its log")

    def _ports(self) -> dict[str, str]:
        return {
            key: str(self._port(key, wanted)) for key, wanted in (("http.port", HTTP_PORT), ("ocpp.port", OCPP_PORT))
        }

    def _port(self, what: str, wanted: int) -> int:
        port = free_port(wanted)
        if port != wanted:
            self.say(f"Port {wanted} is taken; {what} is {port} instead.")
        return port

    def _tell(self, links: dict[str, Any]) -> None:
        if self._options.json:
            print(json.dumps(links), flush=True)
            return
        lines = [
            "",
            f"  Installer page of job {links['number']}:   {links['local_link']}",
            f"  The same from a phone here:    {links['installer_link']}",
            f"  Charge points connect to:      {links['ocpp_url']}/IDENTITY",
        ]
        if links["cloud_link"]:
            login = links["console_login"]
            lines += [
                f"  The same job in the cloud:     {links['cloud_link']}",
                f"  The operator's console:        {links['console_link']}",
                f"  Sign in there with:            {login['email']}   {login['password']}",
            ]
        else:
            lines.append("  Cloud and console:             none; the box runs alone")
        lines += ["", "  Open the pages and watch. Ctrl-C ends everything.", ""]
        print("\n".join(lines), file=self._words, flush=True)


def links_of(
    job: dict[str, Any], cloud: DemoCloud | None, settings: dict[str, str], ocpp_url: str, folder: Path
) -> dict[str, Any]:
    """What a program needs to follow the demo; the console's are None where the box runs alone."""
    http_url = f"http://127.0.0.1:{settings['http.port']}"
    local_link = f"{http_url}/j#{job['token']}"
    return {
        "installer_link": job.get("link", local_link),
        "local_link": local_link,
        "token": job["token"],
        "job": job["job"],
        "number": job["number"],
        "ocpp_url": ocpp_url,
        "http_url": http_url,
        "data_dir": settings["data_dir"],
        "log": str(folder / "box.log"),
        "cloud_link": job.get("cloud_link"),
        "cloud_url": cloud.url if cloud else None,
        "console_link": f"{cloud.url}/t/{cloud.team}" if cloud else None,
        "console_login": {"email": cloud.email, "password": cloud.password} if cloud else None,
        "api_token": cloud.api_token if cloud else None,
    }


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="Box, cloud, a job and its charge points, until Ctrl-C.")
    parser.add_argument("--charge-points", type=int, default=14, metavar="N", help="rows in the job (default 14)")
    parser.add_argument("--offline", action="store_true", help="the box alone, without the cloud")
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
