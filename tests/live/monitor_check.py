#!/usr/bin/env python3
"""A live run's monitor as a program and a browser use it: the filter is changed by HTTP, and then by
a click on the page.

    monitor_check.py URL FOLDER SCREENSHOTS    URL with the token behind its '#'; FOLDER for the
                                               browser's files; where screenshots are kept

Prints what it did; ends with 1 when something is not as it should be. "no browser: " and why stands
for the page where there is none.
"""

import json
import sys
import time
import urllib.error
import urllib.request

import browser


def ask(base, path, token=None, body=None):
    """Status and text."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data)
    if data is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def over_http(base, token):
    status, text = ask(base, "/api/choice", None, {"choice": 2})
    expect(status == 401, f"without the token: {status} {text}")
    status, text = ask(base, "/api/choice", token, {"choice": "half.txt"})
    expect(status == 200, f"a choice: {status} {text}")
    expect(json.loads(text)["choice"] == 2, f"after a choice by name: {text}")
    status, text = ask(base, "/metrics")
    expect("# TYPE firbank_xruns_total counter" in text, f"metrics: {text[:200]}")
    status, text = ask(base, "/nope")
    expect(status == 404, f"an unknown path: {status} {text}")
    print("by HTTP: half.txt was chosen")


def on_the_page(url, base, folder, screenshots):
    page = browser.Browser(1200, 800, folder + "/desktop")
    try:
        page.open(url)
        page.wait_until("moment && stats && moment.outputs[0].rms > 0.01")
        expect(page.run("return location.hash") == "", "the token stays in the address")
        time.sleep(1)
        page.screenshot(screenshots + "/monitor-before.png", whole_page=True)
        page.click('#choice option[value="3"]')
        page.wait_until("state.choice === 3 && moment.choice === 3")
        time.sleep(1)
        page.screenshot(screenshots + "/monitor-after.png", whole_page=True)
        expect(json.loads(ask(base, "/api/state")[1])["choice"] == 3, "the click changed nothing")
        page.click("h1")
        page.press("b")
        page.wait_until("moment.bypass")
        page.press("b")
        page.wait_until("!moment.bypass")
        backends = page.run("return state.backends")
        first = page.run("return state.backend")
        for backend in [name for name in backends if name != first][:1] + [first]:
            page.click(f'#backend option[value="{backend}"]')
            page.wait_until(f"state.backend === '{backend}' && moment.backend === '{backend}'")
            expect(page.run("return document.getElementById('backend').value") == backend, "backend")
        page.click("h1")
        page.click("#ab")
        page.wait_until("state.choice === 2")
        page.click("#ab")
        page.wait_until("state.choice === 3")
        expect(page.run("return document.getElementById('link').textContent") == "live", "link")
        expect(not page.log(), f"the page complains: {page.log()}")
    finally:
        page.close()
    phone = browser.Browser(390, 844, folder + "/phone", phone=True)
    try:
        phone.open(url)
        phone.wait_until("moment && stats")
        time.sleep(1)
        width = phone.run("return document.documentElement.scrollWidth")
        expect(width <= 390, f"the page is {width} wide on a phone of 390")
        phone.screenshot(screenshots + "/monitor-phone.png", whole_page=True)
    finally:
        phone.close()
    print(f"by a click: eighth.txt was chosen; screenshots are in {screenshots}")


def main():
    url, folder, screenshots = sys.argv[1:]
    address, token = url.split("#")
    base = address.rstrip("/")
    over_http(base, token)
    time.sleep(1)
    why_not = browser.missing()
    if why_not:
        print(f"no browser: {why_not}; eighth.txt was chosen by HTTP")
        expect(ask(base, "/api/choice", token, {"choice": 3})[0] == 200, "a choice by number")
        time.sleep(1)
        return
    on_the_page(url, base, folder, screenshots)


main()
