"""Opens HTML reports in headless Chromium and holds every value in them against the JSON reports.

    report_chromium.py FOLDER NAME...

FOLDER has NAME.html and NAME.json of each. Prints what was found as JSON, and leaves the pictures
NAME-WIDTH-SCHEME.png there.
"""

import base64
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

import websocket

# A phone and a desktop, in CSS pixels.
PHONE = 390
LOOKS = [(PHONE, "light"), (1280, "dark"), (PHONE, "dark"), (1280, "light")]
# Of these there are all pictures; two of each other.
IN_FULL = ["failing"]
# Pictures of longer pages end here.
TALLEST = 3200
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
]

# Every value with its place, and every text with a digit that has none. Letters on axes are scales.
READ = r"""(() => {
  const marked = [...document.querySelectorAll("[data-at]")].map(
    (element) => [element.dataset.at, element.getAttribute("value"), element.textContent]);
  const derived = [...document.querySelectorAll("[data-derived]")].map(
    (element) => [element.dataset.derived, element.dataset.of ?? null, element.textContent]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const loose = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (/\d/.test(walker.currentNode.data) && !parent.closest("[data-at],[data-derived],svg")) {
      loose.push(walker.currentNode.data.trim());
    }
  }
  const root = document.documentElement;
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return {
    marked, derived, loose,
    scrolls: root.scrollWidth - root.clientWidth,
    height: root.scrollHeight,
    pictures: [...document.querySelectorAll("svg[role=img]")].map(
      (svg) => [svg.getAttribute("aria-label"), svg.querySelector("desc")?.textContent]),
    unexplained: [...document.querySelectorAll("[data-at$='/check'],[data-derived=check]")].filter(
      (check) => !check.closest("dt") && !check.closest("a[href^='#r']")).map((check) => check.textContent),
    headings: [...document.querySelectorAll("h1,h2,h3,h4")].map((heading) => Number(heading.tagName[1])),
    dangling: [...document.querySelectorAll("a[href]")].map((link) => link.getAttribute("href")).filter(
      (href) => !href.startsWith("#") || !document.getElementById(href.slice(1))),
    twice: ids.length - new Set(ids).size,
    ground: getComputedStyle(document.body).backgroundColor,
  };
})()"""


class Browser:
    """Speaks the DevTools protocol with one page."""

    def __init__(self, home):
        command = ["chromium", *FLAGS, f"--user-data-dir={home}", "about:blank"]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, **pipes, text=True)
        for line in self.process.stderr:
            if found := re.search(r"DevTools listening on (ws://\S+)", line):
                break
        else:
            raise SystemExit("chromium ended before it listened")
        # Whatever else it has to say must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.socket = websocket.create_connection(found[1], suppress_origin=True, timeout=60)
        self.number, self.session, self.events = 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url):
        self.events.clear()
        self.ask("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self.socket.recv()))

    def complaints(self):
        """What a person would see in red in the console, and every request but that for the page."""
        for event in self.events:
            method, about = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                yield about["exceptionDetails"]["text"]
            elif method == "Runtime.consoleAPICalled":
                yield json.dumps(about["args"])
            elif method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
                yield about["entry"]["text"]
            elif method == "Network.requestWillBeSent":
                if not about["request"]["url"].startswith(("file:", "data:")):
                    yield f"asked for {about['request']['url']}"
            elif method == "Page.javascriptDialogOpening":
                yield "a dialog"

    def close(self):
        self.session = None
        try:
            self.ask("Browser.close")
            self.process.wait(timeout=30)
        finally:
            self.process.kill()


def resolve(report, pointer):
    value = report
    for step in pointer.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def same_number(shown, number):
    """Whether what is shown is the number, as far as three digits go."""
    units = {"ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6, "%": 0.01, "": 1.0}
    parts = re.findall(r"([\d,.]+) ?(ms|min|s|h|%)?", shown)
    value = sum(float(amount.replace(",", "")) * units[unit] for amount, unit in parts)
    # A count is exact; the rest is rounded to what is shown, and what is below a tenth to nothing.
    tolerance = 0.0006 if "%" in shown else 0.06
    if isinstance(number, int) and not any(unit for _, unit in parts):
        return value == number
    return math.isclose(value, number, rel_tol=0.006, abs_tol=tolerance)


def is_shown(report, pointer, value, text):
    expected = resolve(report, pointer)
    if expected is None:
        return text.startswith("–")
    if isinstance(expected, (int, float)):
        return (value is None or float(value) == expected) and same_number(text, expected)
    hides = any(not character.isprintable() for character in expected) or len(expected) > 120
    # Backticks become code.
    return hides or text in (expected, expected.replace("`", ""))


def derived(report, name, of, text):
    """What a derived value must be, or None where only its digits could be wrong and it has none."""
    part = resolve(report, of) if of else None
    if name == "got":
        return same_number(text, part["fired"] / part["matched"])
    if name == "length":
        ends = [tried["at_ms"] + tried["took_ms"] for tried in part["tries"] if tried["at_ms"] is not None]
        return text == "0 ms" if not ends or None in ends else same_number(text, max(ends))
    if name == "headline":
        unmet = [expected["found"] for expected in report["expectations"] if expected["verdict"] == "fail"]
        if text.startswith("Not met:"):
            return not unmet[0].isprintable() or unmet[0].replace("`", "") in text
        verdicts = [expected["verdict"] for expected in report["expectations"]]
        clients = [client["verdict"] for client in report["clients"]]
        known = {len(verdicts), verdicts.count("fail"), len(clients), clients.count("fail")}
        return all(int(number) in known for number in re.findall(r"\d+", text))
    if name == "said":
        exit = report["exit"]
        return text == (exit and exit["because"].replace("`", "")) or "met a conflict" in text
    if name == "idle":
        return report["untested"] is not None
    if name == "run":
        return f"seed {report['run']['seed']}" in text
    if name == "caveat":
        totals = report["totals"]
        known = (totals["dropped"], totals["evicted"], totals["other_clients"])
        return int(text.split()[0].replace(",", "")) in known
    if name == "evidence":
        findings = [finding for client in report["clients"] for finding in client["findings"]]
        return any(int(text.removeprefix("op ")) in found["operations"] for found in findings + report["expectations"])
    if name == "check":
        found = [finding["check"] for client in report["clients"] for finding in client["findings"]]
        return text in found + [expected["name"] for expected in report["expectations"]]
    if name == "section":
        return re.fullmatch(r"docs/GRADING\.md#r\d+-[a-z-]+", text)
    if name == "mark":
        return report["untested"] is not None and text == "undetermined"
    if name == "sample":
        return all(len(client["gaps"]) <= 500 for client in report["clients"])
    if name == "refused_by":
        return part["refused_by"] == "upstream" and text == "the upstream's own"
    if name == "left":
        return re.match(r"\(?[\d,]+ of [\d,]+", text)
    return name in ("began", "version", "retry", "zero", "outcome", "answer")


def look(browser, folder, name, report, width, scheme):
    mobile = width == PHONE
    browser.ask(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=mobile
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.ask("Emulation.setEmulatedMedia", features=features)
    browser.open((folder / f"{name}.html").as_uri())
    page = browser.ask("Runtime.evaluate", expression=READ, returnByValue=True)["result"]["value"]
    clip = {"x": 0, "y": 0, "width": width, "height": min(page["height"], TALLEST), "scale": 1}
    shot = browser.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
    (folder / f"{name}-{width}-{scheme}.png").write_bytes(base64.b64decode(shot["data"]))
    return {
        "complaints": list(browser.complaints()),
        "values": len(page["marked"]),
        "wrong": [marked for marked in page["marked"] if not is_shown(report, *marked)][:10],
        "underived": [given for given in page["derived"] if not derived(report, *given)][:10],
        "loose": page["loose"][:10],
        "scrolls": page["scrolls"],
        "unexplained": page["unexplained"],
        "twice": page["twice"],
        "dangling": page["dangling"],
        "undescribed": [title for title, about in page["pictures"] if not (title and about)],
        "headings": page["headings"][:1] == [1] and all(b - a <= 1 for a, b in zip(page["headings"], page["headings"][1:])),
        "ground": page["ground"],
    }


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    found = {}
    with tempfile.TemporaryDirectory(dir=folder) as home:
        browser = Browser(home)
        try:
            for name in sys.argv[2:]:
                report = json.loads((folder / f"{name}.json").read_text())
                for width, scheme in LOOKS[: 4 if name in IN_FULL else 2]:
                    found[f"{name}-{width}-{scheme}"] = look(browser, folder, name, report, width, scheme)
        finally:
            browser.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
