"""Measure the explorer in a real browser and record it: part of ``make bench``.

What a reader feels: how much is loaded before weights are wanted, the time from the first
click to the first answer (weights included), the time for a further image, and the longest
stretch in which the page could not react. Everything runs on this machine, the server too.
"""

import functools
import http.server
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from browsers import BUILT, chromium, served

from cnncourse import models, results

TOPIC = "bench.explorer"
RUNS = 5
IMAGES = 8

# A long task is one that keeps the page from reacting for more than 50 ms (W3C Long Tasks).
WATCH = """
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) window.longest = Math.max(longest, task.duration);
    }).observe({type: 'longtask'});
"""
CLICK = """async ([number, name]) => {
    const status = document.querySelector('.cnn-status');
    const card = document.querySelector(`.cnn-gallery button:nth-child(${number})`);
    status.textContent = '';
    const started = performance.now();
    card.click();
    while (!status.textContent.startsWith(`${name} says`)) {
        await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return performance.now() - started;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """The built book, without a line for each request."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def visit(browser, address: str, name: str) -> dict[str, float]:
    """One reader's visit with one network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.setdefault(answer.url, len(answer.body())))
    page.goto(f"{address}/book/explorer.html")
    page.wait_for_selector(".cnn-gallery button:nth-child(30)")
    page.wait_for_load_state("networkidle")
    page_bytes = sum(
        size for url, size in sizes.items() if "/explorer" in url and "/networks/" not in url
    )
    page.get_by_role("radio", name=name, exact=True).click()
    page.evaluate(WATCH)
    first = page.evaluate(CLICK, [1, name])
    further = [page.evaluate(CLICK, [number, name]) for number in range(2, 2 + IMAGES)]
    page.wait_for_timeout(300)
    longest = page.evaluate("window.longest")
    context.close()
    return {
        "page_bytes": page_bytes,
        f"{name}_first_answer": first,
        f"{name}_new_image": statistics.median(further),
        f"{name}_longest_task": longest,
    }


def main() -> None:
    if not BUILT.is_dir():
        sys.exit("There is no built book; run `make book` first.")
    measured: dict[str, list[float]] = {}
    with (
        chromium() as browser,
        served(functools.partial(Quiet, directory=str(BUILT))) as address,
    ):
        for _ in range(RUNS):
            for name in models.NETWORKS:
                for key, value in visit(browser, address, name).items():
                    measured.setdefault(key, []).append(value)
    values = {}
    for key, numbers in measured.items():
        middle = statistics.median(numbers)
        values[key] = {
            "value": round(middle),
            "unit": "bytes" if key == "page_bytes" else "ms",
            "tolerance": round(max(abs(number - middle) for number in numbers)),
        }
    results.record(TOPIC, values, command="make bench")
    for key, entry in values.items():
        sys.stdout.write(f"{key}: {entry['value']:,} ± {entry['tolerance']:,} {entry['unit']}\n")


if __name__ == "__main__":
    main()
