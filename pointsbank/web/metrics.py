"""Prometheus figures: requests by route and status, and how long they took."""

import os
from time import perf_counter

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

REQUESTS = Counter(
    "pointsbank_requests_total", "Requests answered.", ["method", "route", "status"]
)
SECONDS = Histogram(
    "pointsbank_request_seconds",
    "Seconds from the request to its answer.",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
SCANS = Counter("pointsbank_scans_total", "Scans judged.", ["result", "reason"])
REDEMPTIONS = Counter("pointsbank_redemptions_total", "Redemptions by outcome.", ["outcome"])


def figures() -> Response:
    """Answer all figures in Prometheus text, of every worker when they share a directory."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # library
        text = generate_latest(registry)
    else:
        text = generate_latest()
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def install(app: Flask) -> None:
    """Count each request."""

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "(none)"
        REQUESTS.labels(request.method, route, response.status_code).inc()
        SECONDS.labels(route).observe(perf_counter() - g.get("began", perf_counter()))
        return response
