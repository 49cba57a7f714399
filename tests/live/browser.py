"""A headless browser, driven by the WebDriver protocol through chromedriver, with Python alone.

The protocol is https://www.w3.org/TR/webdriver2/.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request


def missing():
    """What is not installed here, or an empty text."""
    for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if not shutil.which(program):
            return f"{program} is not installed (Debian: {package})"
    return ""


class Browser:
    """One window. To be closed, which ends the browser."""

    def __init__(self, width, height, folder, phone=False):
        """`folder` is for the browser's own files. A phone has touch and a narrow screen."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._base = f"http://127.0.0.1:{port}"
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._session = ""
        try:
            self._wait_for_driver()
            options = {
                "args": [
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",
                    "--hide-scrollbars",
                    "--disable-background-networking",
                    "--no-first-run",
                    "--force-dark-mode",
                    f"--user-data-dir={os.path.join(folder, 'chromium')}",
                    f"--window-size={width},{height}",
                ]
            }
            if phone:
                options["mobileEmulation"] = {
                    "deviceMetrics": {"width": width, "height": height, "pixelRatio": 2}
                }
            capabilities = {"alwaysMatch": {"goog:chromeOptions": options}}
            answer = self._ask("POST", "/session", {"capabilities": capabilities})
            self._session = "/session/" + answer["sessionId"]
        except BaseException:
            self.close()
            raise

    def _wait_for_driver(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                if self._ask("GET", "/status")["ready"]:
                    return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.read().decode(errors='replace')[:400]}") from None

    def open(self, url):
        self._ask("POST", self._session + "/url", {"url": url})

    def run(self, script, *arguments):
        """What `script`, the body of a function, returns."""
        body = {"script": script, "args": list(arguments)}
        return self._ask("POST", self._session + "/execute/sync", body)

    def wait_until(self, expression, seconds=20):
        """Waits until the JavaScript expression is true. Throws when it never is."""
        deadline = time.monotonic() + seconds
        while not self.run(f"return Boolean({expression})"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true in the page: {expression}")
            time.sleep(0.05)

    def click(self, selector):
        """As a mouse would, where the element is seen."""
        found = self._ask(
            "POST", self._session + "/element", {"using": "css selector", "value": selector}
        )
        element = next(iter(found.values()))
        self._ask("POST", f"{self._session}/element/{element}/click", {})

    def press(self, key):
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._ask(
            "POST",
            self._session + "/actions",
            {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]},
        )

    def log(self):
        """What the page complained of."""
        return [
            entry["message"]
            for entry in self._ask("POST", self._session + "/se/log", {"type": "browser"})
            if entry["level"] == "SEVERE"
        ]

    def screenshot(self, path, whole_page=False):
        if whole_page:
            shot = self._ask(
                "POST",
                self._session + "/goog/cdp/execute",
                {
                    "cmd": "Page.captureScreenshot",
                    "params": {"captureBeyondViewport": True, "format": "png"},
                },
            )["data"]
        else:
            shot = self._ask("GET", self._session + "/screenshot")
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot))

    def print(self, width_cm, height_cm):
        """The page on paper of that size, as the bytes of a PDF."""
        body = {"page": {"width": width_cm, "height": height_cm}}
        return base64.b64decode(self._ask("POST", self._session + "/print", body))

    def prefer(self, scheme):
        """"light" or "dark", as its user's system would ask for."""
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        body = {"cmd": "Emulation.setEmulatedMedia", "params": media}
        self._ask("POST", self._session + "/goog/cdp/execute", body)

    def close(self):
        try:
            if self._session:
                self._ask("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(20)
