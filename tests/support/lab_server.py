"""JupyterLab for tests: a server on loopback with nothing of the person's own, and pages of it.

    with LabServer(tmp_path / "lab", root=folder) as lab:
        page = lab.open_page(chromium, "lesson.ipynb", theme="dark")
        run_cell(page, 0)

`chromium` is the fixture of tests/browser/conftest.py.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from processes import is_running, wait_until

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
START_SECONDS = 90  # on a busy machine
STOP_SECONDS = 30
PAGE_SECONDS = 60  # for whatever a page shows
expect.set_options(timeout=PAGE_SECONDS * 1000)


class LabServer:
    """JupyterLab that serves `root` inside a `with` block; all that it writes is in `folder`.

    `prefix` is one more place for Jupyter's data: extensions are in `prefix/labextensions`. Behind
    the block neither the server nor a kernel of it is running; one that is left is an error.
    """

    def __init__(self, folder: Path, root: Path, prefix: Path | None = None) -> None:
        self.folder = folder
        self.root = root
        self.token = secrets.token_hex(16)
        self.address = ""  # http://127.0.0.1:PORT
        self._prefix = prefix
        self._pages = 0
        self._context: BrowserContext | None = None

    def __enter__(self) -> "LabServer":
        self.folder.mkdir(parents=True, exist_ok=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False}  # no question, no network
        self.set("@jupyterlab/apputils-extension", "notification", quiet)
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
        command += [f"--ServerApp.root_dir={self.root}", "--LabApp.extension_manager=readonly"]
        command += ["--LabApp.expose_app_in_browser=True"]  # as `jupyterapp`
        with open(self.folder / "log", "wb") as log:
            self._server = subprocess.Popen(
                command,
                cwd=self.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until(self._is_ready, "JupyterLab does not start", START_SECONDS)
        except BaseException as error:
            self.__exit__()
            error.add_note(self.log()[-4000:])
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._server.poll() is not None:  # it has ended by itself
            return
        started = [*self.processes(), psutil.Process(self._server.pid)]
        os.killpg(self._server.pid, signal.SIGTERM)  # it ends its kernels, then itself
        psutil.wait_procs(started, timeout=STOP_SECONDS)
        left = [process for process in started if is_running(process.pid)]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._server.wait()
        assert not left, f"still running behind the end of JupyterLab: {left}"

    def _environment(self) -> dict[str, str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
        for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
            own[f"JUPYTER_{name}"] = str(self.folder / name.lower())
        own["JUPYTERLAB_SETTINGS_DIR"] = str(self.folder / "settings")
        own["JUPYTERLAB_WORKSPACES_DIR"] = str(self.folder / "workspaces")
        own["IPYTHONDIR"] = str(self.folder / "ipython")
        own["JUPYTER_TOKEN"] = self.token
        if self._prefix is not None:
            own["JUPYTER_PATH"] = str(self._prefix)
        return own

    def _is_ready(self) -> bool:
        assert self._server.poll() is None, "JupyterLab has ended at its start"
        for file in (self.folder / "runtime_dir").glob("jpserver-*.json"):
            try:
                port = json.loads(file.read_text(encoding="utf-8"))["port"]
            except ValueError:  # half written
                return False
            self.address = f"http://127.0.0.1:{port}"
        try:
            return bool(self.address) and "started" in self.get("api/status")
        except (urllib.error.URLError, ConnectionError):
            return False

    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> Any:
        """What the server's own interface answers, as `get("api/kernels")`."""
        return json.loads(self._ask(path, "GET"))

    def _ask(self, path: str, method: str) -> bytes:
        request = urllib.request.Request(f"{self.address}/{path}", method=method)
        request.add_header("Authorization", f"token {self.token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return bytes(answer.read())

    def end_kernels(self) -> None:
        """End all kernels that run, so that a test leaves none to the next."""
        wait_until(self._has_ended_kernels, "a kernel does not end", STOP_SECONDS)

    def _has_ended_kernels(self) -> bool:
        with contextlib.suppress(urllib.error.HTTPError):  # one of them has just come or gone
            for kernel in self.get("api/kernels"):
                self._ask(f"api/kernels/{kernel['id']}", "DELETE")
            return self.get("api/kernels") == []
        return False

    def processes(self) -> list[psutil.Process]:
        """The processes that the server has started, those of its kernels included."""
        return psutil.Process(self._server.pid).children(recursive=True)

    def set(self, extension: str, plugin: str, settings: dict[str, Any]) -> None:
        """Write the settings of one plugin; they hold for pages that are opened afterwards."""
        file = self.folder / "settings" / extension / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")

    def open_page(self, browser: Browser, path: str, theme: str = "light") -> Page:
        """A new window with a file of the root, loaded.

        Each has a workspace of its own, which it finds again when it is loaded anew. All share what
        the browser has fetched and compiled.
        """
        self.set("@jupyterlab/apputils-extension", "themes", {"theme": THEMES[theme]})
        self._pages += 1
        if self._context is None:
            self._context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = self._context.new_page()
        page.set_default_timeout(PAGE_SECONDS * 1000)
        dialog = page.locator(".jp-Dialog", has_text="Select Kernel")
        page.add_locator_handler(dialog, lambda: dialog.locator(".jp-mod-accept").first.click())
        page.goto(f"{self.address}/lab/workspaces/w{self._pages}/tree/{path}?token={self.token}")
        wait_for_page(page)
        page.locator(f'body[data-jp-theme-name="{THEMES[theme]}"]').wait_for(state="attached")
        return page


def wait_for_page(page: Page) -> None:
    """Wait until the file is there, also behind `page.reload()`."""
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.locator("#jp-main-dock-panel .jp-Document .cm-content").first.wait_for()
    page.locator("#jp-main-dock-panel .jp-Spinner").wait_for(state="detached")


def wait_for_kernel(page: Page) -> None:
    """Wait until the notebook's kernel has started and has nothing to do."""
    kernel = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(
        f'{kernel}?.connectionStatus == "connected" && {kernel}.status == "idle"'
    )


def cell(page: Page, index: int) -> Locator:
    """A cell of the notebook, counted from 0."""
    return page.locator(".jp-Notebook .jp-Cell").nth(index)


def run_cell(page: Page, index: int) -> Locator:
    """Run a cell, without waiting for its end; returns the cell."""
    wait_for_kernel(page)
    found = cell(page, index)
    found.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    return found


def write_notebook(path: Path, *sources: str) -> Path:
    """A notebook of code cells, which asks for no kernel when it is opened."""
    common = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [common | {"id": f"c{i}", "source": source} for i, source in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}}
    notebook |= {"nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path
