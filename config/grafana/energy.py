"""The dashboard of readings, prices and bills."""

from typing import Final

from model import Dashboard, Panel
from queries import REQUESTS, gauge, quantile, rate

CLASS: Final = "quantity, direction, interval"
ENERGY: Final = Dashboard(
    "energia-energy",
    "Energia: energy",
    "Readings, prices and bills.",
    "app_ready",
    {
        "Readings": [
            Panel(
                "Readings", "Readings per second by what became of them.", "ops",
                {"{{outcome}}": rate("energia_readings_total", "outcome")},
            ),
            Panel(
                "Refused", "Faults of refused readings per second, by code.", "ops",
                {"{{reason}}": rate("energia_readings_rejected_total", "reason")},
            ),
            Panel(
                "Newest reading", "Since the end of the newest reading of each class of channels.",
                "s", {"{{quantity}} {{direction}} {{interval}}": gauge(
                    "energia_newest_reading_age_seconds", "min", CLASS)},
            ),
            Panel(
                "Sent", "Requests with readings per second, JSON and files.", "reqps",
                {"{{route}}": rate(f"{REQUESTS}_count", "route",
                                   'route=~"/v1/readings|/v1/imports"', 'method="POST"')},
            ),
        ],
        "Prices": [
            Panel(
                "Prices", "How long it takes: the 95th percentile by what is priced.", "s",
                {"{{operation}}": quantile(0.95, "energia_pricing_duration_seconds", "operation")},
            ),
            Panel(
                "Priced", "Per second, by what is priced.", "ops",
                {"{{operation}}": rate("energia_pricing_duration_seconds_count", "operation")},
            ),
            Panel(
                "Price horizon", "Until a contract goes on and its tariff has no prices.", "s",
                {"left": gauge("energia_price_horizon_seconds", "min")}, "stat",
            ),
        ],
        "Bills": [
            Panel(
                "Issued", "Bills per second by currency.", "ops",
                {"{{currency}}": rate("energia_bills_issued_total", "currency")},
            ),
            Panel(
                "Conflicts", "Answers of 409 per second, by the code of the problem.", "reqps",
                {"{{code}}": rate("energia_conflicts_total", "code")},
            ),
            Panel(
                "Bills to tell", "Bills that the receiver of the webhook has not taken.", "none",
                {"waiting": gauge("energia_bill_webhook_waiting")},
            ),
            Panel(
                "Last told", "Since the receiver last took a bill.", "s",
                {"ago": "time() - "
                 + gauge("energia_bill_webhook_last_success_timestamp_seconds")}, "stat",
            ),
        ],
    },
)  # fmt: skip
