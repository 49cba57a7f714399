#!/usr/bin/env python3
"""The page of `firbank serve`, in a browser, while a simulated probe sends.

    serve_page_check.py BUILD_DIR    leaves screenshots in BUILD_DIR/screenshots

Prints what it saw; ends with 1 when something is not as it should be. "skipped: " and why stands for
all of it where there is no browser.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import browser

CONFIG = """
[stream]
inputs = 48
rate = 30000
[engine]
block = 300
[[filter]]
name = "spikes"
file = "band.wav"
[[preset]]
name = "spikes"
filter = "spikes"
[serve]
input = "tcp://127.0.0.1:0"
unit = "uV"
reference = "median"
[serve.events]
sigmas = 4.2
[[serve.output]]
kind = "events"
to = "events.npy"
"""


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


class Server:
    """firbank serve with a monitor, at a port or at any."""

    def __init__(self, build, folder, port="0"):
        self._build = build
        self._folder = folder
        self._process = subprocess.Popen(
            [build + "/bin/firbank", "serve", folder + "/probe.toml", "--monitor", port],
            stderr=subprocess.PIPE,
            text=True,
        )
        said = ""
        while "firbank: ready" not in said:
            line = self._process.stderr.readline()
            expect(line, f"firbank serve ended: {said}")
            said += line
        self.url = re.search(r"firbank: monitor: (\S+)", said)[1]
        self._input = re.search(r"tcp at (127\.0\.0\.1:\d+)", said)[1]

    def probe(self, seconds, seed):
        """A sender, which loses packets."""
        return subprocess.Popen(
            [self._build + "/bin/probe", "send", self._input, "--channels", "48", "--filter",
             self._folder + "/band.wav", "--seconds", str(seconds), "--seed", str(seed),
             "--loss", "0.02"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop(self):
        """Returns how long it took."""
        begun = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        self._process.stderr.read()
        code = self._process.wait(30)
        expect(code in (4, 130), f"firbank serve ended with {code}")
        return time.monotonic() - begun


def link(page):
    return page.run("return document.getElementById('link').textContent")


def count_of_colours(page, canvas):
    script = """
      const canvas = document.getElementById(arguments[0]);
      const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(all.data.buffer)).size;"""
    return page.run(script, canvas)


def on_a_desk(page, server, screenshots):
    page.open(server.url)
    page.wait_until("moment && stats")
    expect(page.run("return location.hash") == "", "the token stays in the address")
    expect(link(page) == "waiting for a sender", f"before a sender: {link(page)}")
    sender = server.probe(8, 1)
    page.wait_until("rms && losses.length > 0 && events.kept > 1000")
    expect(link(page) == "live", f"while packets come: {link(page)}")
    for canvas in ("traces", "raster", "rate", "latency"):
        page.wait_until(f"document.getElementById('{canvas}').width > 300")
        expect(count_of_colours(page, canvas) > 2, f"nothing is drawn in {canvas}")
    # What is lost is listed as it is marked.
    page.wait_until("stats.losses.length === losses.length")
    expect(page.run("return losses[0][0] === stats.losses[0].first_frame"), "a loss is elsewhere")
    page.screenshot(screenshots + "/serve-desk.png", whole_page=True)

    page.click("#later")
    page.wait_until("first === 16 && moment.first === 16 && bins.newest > 0")
    page.click("#raster")  # in the middle, of channels 16 to 31 that is
    page.wait_until("moment.first === first && bins.newest > 0")
    page.click("#count option:first-child")
    page.wait_until("moment.count === 8")

    page.click("#bad-channel")
    page.run("document.getElementById('bad-channel').value = 'in-3'")
    page.click("#bad-form button")
    page.wait_until("state.bad_channels.length === 1 && state.bad_channels[0] === 2")
    page.wait_until("rms[2] < 1e-6 && rms[3] > 1e-3")
    page.click("#bad button")
    page.wait_until("state.bad_channels.length === 0")
    expect(not page.log(), f"the page complains: {page.log()}")

    sender.wait(60)
    page.wait_until("document.getElementById('link').textContent.startsWith('no packets for ')")


def on_a_phone(page, server, screenshots):
    sender = server.probe(6, 2)
    page.open(server.url)
    page.wait_until("moment && stats && rms")
    width = page.run("return document.documentElement.scrollWidth")
    expect(width <= 400, f"the page is {width} wide on a phone of 400")
    page.screenshot(screenshots + "/serve-phone.png", whole_page=True)
    expect(not page.log(), f"the page complains: {page.log()}")
    sender.wait(60)


def when_it_comes_back(page, server, build, folder):
    """Returns the server of another run at the same address."""
    took = server.stop()
    expect(took < 5, f"it took {took:.1f} s to stop while somebody watched")
    page.wait_until("document.getElementById('link').textContent === 'connection lost'")
    other = Server(build, folder, re.search(r":(\d+)/", server.url)[1])
    sender = other.probe(5, 3)
    page.wait_until("moment.seconds < 60 && moment.stream === 1 && events.kept > 500 && rms")
    expect(link(page) == "live", f"after another run began: {link(page)}")
    sender.wait(60)
    return took, other


def main():
    build = os.path.abspath(sys.argv[1])
    why_not = browser.missing()
    if why_not:
        print(f"skipped: {why_not}")
        return
    screenshots = build + "/screenshots"
    os.makedirs(screenshots, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/probe.toml", "w") as file:
            file.write(CONFIG)
        subprocess.run(
            [build + "/bin/firbank", "design", "bandpass", folder + "/band.wav", "--rate", "30000",
             "--low", "300", "--high", "6000", "--transition", "300", "--attenuation", "60"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        server = Server(build, folder)
        try:
            with (
                contextlib.closing(browser.Browser(1240, 900, folder + "/desk")) as desk,
                contextlib.closing(browser.Browser(400, 860, folder + "/phone", True)) as phone,
            ):
                on_a_desk(desk, server, screenshots)
                on_a_phone(phone, server, screenshots)
                took, server = when_it_comes_back(desk, server, build, folder)
        finally:
            server.stop()
    print(f"the page of firbank serve is as it should be; stopped in {took:.2f} s while watched;")
    print(f"screenshots are in {screenshots}")


main()
