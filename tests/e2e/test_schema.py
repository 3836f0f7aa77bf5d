"""Requests by the thousand, made from the OpenAPI document."""

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.service import serving, token

SITE = {"name": "Home", "timezone": "Asia/Kathmandu", "country": "NP", "currency": "NPR"}
CHANNEL = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT1H",
}
REACTIVE = {"quantity": "reactive_energy", "direction": "import", "unit": "kvarh"}
REGISTER = {"id": "reactive", **REACTIVE, "kind": "register"}
GAS = {"id": "gas", "quantity": "gas_volume", "direction": "import", "unit": "m3"}
METER = {"site": "home", "channels": [CHANNEL, REGISTER, {**GAS, "kind": "irregular"}]}
OF_REGISTER = {"channel": "reactive", "start": "2026-03-01", "end": "2026-03-02"}
READS = {"reads": [{"channel": "reactive", "at": "2026-03-01", "value": "18344.5"}]}
WRONG_READ = {"channel": "reactive", "at": "2026-03-01"}
WRONG_STRETCH = {"channel": "gas", "start": "2026-03-01"}
EXCHANGE = {"channel": "reactive", "at": "2026-03-02", "final": "18350", "initial": "0"}
STRETCH = {
    "stretches": [{"channel": "gas", "start": "2026-03-01", "end": "2026-03-02", "value": 2}]
}
TARIFF: dict[str, Any] = {
    "name": "Flat",
    "currency": "NPR",
    "timezone": "Asia/Kathmandu",
    "versions": [{"valid_from": "2026-01-01", "charges": [{"kind": "energy.flat", "rate": "9"}]}],
}
HOLIDAYS = {"name": "Nepal", "country": "NP", "dates": ["2026-02-19", "2026-04-14"]}
SINCE = {"start": "2026-03-01"}
DAY = {**SINCE, "end": "2026-03-02"}
AT = "2026-03-01T00:00:00+05:45"
IMPORT = {**DAY, "channel": "import"}
SERIES = {
    "meter": "main",
    "channel": "import",
    "start": AT,
    "interval": "PT1H",
    "values": [0.5] * 48,
}
OF_CSV = {"format": "csv", "meter": "main", "channel": "import"}
CSV = b"start,value\n2026-03-02T00:00:00+05:45,0.5\n"
COST = {"meter": "main", "tariff": "flat", **DAY}
CONTRACT = {"meter": "main", "tariff": "flat", "start": "2026-03-01"}
BEFORE = {"id": "spare", **CONTRACT, "start": "2026-01-01", "end": "2026-02-01"}
#: A second day, of which a run leaves a draft.
NEXT = {"start": "2026-03-02", "end": "2026-03-03"}
PRINTED = {"lines": [{"description": "Energy", "amount": "108.00"}], "total": "108.00"}

#: A rate of the US rate database.
RATE = {"energyratestructure": [[{"rate": 0.1}]], "startdate": "2026-01-01"}
SPOT = {"currency": "NPR", "unit": "kWh", "interval": "PT1H", "timezone": "Asia/Kathmandu"}
HOURS = {"start": AT, "values": ["9.5", None, "-1"]}

#: A home in Rio.
BRAZILIAN = {"distributor": "light", "subgroup": "B1", "from": "2026-08-01"}
DELIVERY = {"webhook": "<the webhook>", "delivery": "<the delivery>"}

#: Homes and factories of Brazil; a month of readings every 15 minutes.
BRAZIL = {"distributor": "light", "subgroup": "B1", "from": "2026-08-01"}
FACTORY = {"distributor": "light", "subgroup": "A4", "from": "2026-04-01"}
APRIL = {
    "timezone": "America/Sao_Paulo",
    "interval": "PT15M",
    "channels": {"import": {"start": "2026-04-01T00:00:00-03:00", "values": [10.5] * 2880}},
}
#: A month of hours, and a bill of it.
AUGUST = {
    "timezone": "America/Sao_Paulo",
    "interval": "PT1H",
    "channels": {"import": {"start": "2026-08-01T00:00:00-03:00", "values": [0.5] * 744}},
}
PRINTED_BILL = "Energia Elétrica kWh 372 1,35000 502,20\nTotal 502,20"
OF_APRIL = {
    "month": "2026-04",
    "demand": {"ponta": "92.4", "fora_ponta": "171.36"},
    "energy": {"ponta": "4120", "fora_ponta": "48230"},
}

#: One good request of every operation, in an order that works.
GOOD: dict[str, dict[str, Any]] = {
    "GET /": {},
    "GET /docs": {},
    "GET /docs/{asset}": {"path": {"asset": "initializer.js"}},
    "GET /health": {},
    "GET /health/live": {},
    "GET /health/ready": {},
    "GET /metrics": {},
    "GET /openapi.json": {},
    "POST /v1/tokens": {"json": {"name": "reader", "scopes": ["readings:read"]}},
    "GET /v1/tokens": {},
    "GET /v1/tokens/{prefix}": {"path": {"prefix": "<the token>"}},
    "POST /v1/tokens/{prefix}/rotate": {"path": {"prefix": "<the token>"}},
    "DELETE /v1/tokens/{prefix}": {"path": {"prefix": "<the token>"}},
    "POST /v1/webhooks": {"json": {"url": "https://erp.example/", "events": ["bill.issued"]}},
    "GET /v1/webhooks": {},
    "GET /v1/webhooks/{webhook}": {"path": {"webhook": "<the webhook>"}},
    "PUT /v1/webhooks/{webhook}": {
        "path": {"webhook": "<the webhook>"},
        "json": {"url": "https://erp.example/2", "events": ["bill.affected"]},
    },
    "POST /v1/webhooks/{webhook}/rotate": {"path": {"webhook": "<the webhook>"}},
    "POST /v1/webhooks/{webhook}/test": {"path": {"webhook": "<the webhook>"}},
    "GET /v1/webhooks/{webhook}/deliveries": {"path": {"webhook": "<the webhook>"}},
    "GET /v1/webhooks/{webhook}/deliveries/{delivery}": {"path": DELIVERY},
    "POST /v1/webhooks/{webhook}/deliveries/{delivery}/resend": {"path": DELIVERY},
    "DELETE /v1/webhooks/{webhook}": {"path": {"webhook": "<the webhook>"}},
    "GET /v1/plugins": {},
    "GET /v1/charge-kinds": {},
    "GET /v1/formats": {},
    "GET /v1/tariff-formats": {},
    "PUT /v1/sites/{site}": {"path": {"site": "home"}, "json": SITE},
    "POST /v1/sites": {"json": {"id": "spare", **SITE}},
    "GET /v1/sites": {},
    "GET /v1/sites/{site}": {"path": {"site": "home"}},
    "GET /v1/sites/{site}/summary": {"path": {"site": "home"}},
    "GET /v1/site-summaries": {},
    "GET /v1/concerns": {},
    "PATCH /v1/sites/{site}": {"path": {"site": "home"}, "json": {"name": "House"}},
    "DELETE /v1/sites/{site}": {"path": {"site": "spare"}},
    "PUT /v1/meters/{meter}": {"path": {"meter": "main"}, "json": METER},
    "POST /v1/meters": {"json": {"id": "spare", **METER}},
    "GET /v1/meters": {},
    "GET /v1/meters/{meter}": {"path": {"meter": "main"}},
    "PATCH /v1/meters/{meter}": {"path": {"meter": "main"}, "json": {"serial": "A-1"}},
    "DELETE /v1/meters/{meter}": {"path": {"meter": "spare"}},
    "GET /v1/deletions": {},
    "DELETE /v1/meters/{meter}/readings": {
        "path": {"meter": "main"},
        "params": {"before": "2020-01-01", "reason": "request 17"},
    },
    "POST /v1/readings": {"json": {"series": [SERIES]}},
    "POST /v1/imports": {"params": OF_CSV, "data": CSV},
    "POST /v1/imports/preview": {"params": {"meter": "main"}, "data": CSV},
    "GET /v1/imports": {},
    "GET /v1/imports/{import_id}": {"path": {"import_id": "<the first import>"}},
    "PUT /v1/csv-mappings/{csv_mapping}": {
        "path": {"csv_mapping": "portal"},
        "json": {"options": {"timezone": "Asia/Kathmandu"}},
    },
    "GET /v1/csv-mappings": {},
    "GET /v1/csv-mappings/{csv_mapping}": {"path": {"csv_mapping": "portal"}},
    "DELETE /v1/csv-mappings/{csv_mapping}": {"path": {"csv_mapping": "portal"}},
    "GET /v1/meters/{meter}/readings": {"path": {"meter": "main"}, "params": IMPORT},
    "GET /v1/meters/{meter}/usage": {"path": {"meter": "main"}, "params": IMPORT},
    "GET /v1/sites/{site}/usage": {"path": {"site": "home"}, "params": DAY},
    "GET /v1/usage": {"params": {"meters": "main", **DAY}},
    "POST /v1/meters/{meter}/registers": {"path": {"meter": "main"}, "json": READS},
    "POST /v1/meters/{meter}/exchange": {"path": {"meter": "main"}, "json": EXCHANGE},
    "DELETE /v1/meters/{meter}/registers": {"path": {"meter": "main"}, "params": WRONG_READ},
    "GET /v1/meters/{meter}/registers": {"path": {"meter": "main"}, "params": OF_REGISTER},
    "POST /v1/meters/{meter}/stretches": {"path": {"meter": "main"}, "json": STRETCH},
    "GET /v1/meters/{meter}/stretches": {"path": {"meter": "main"}, "params": OF_REGISTER},
    "DELETE /v1/meters/{meter}/stretches": {"path": {"meter": "main"}, "params": WRONG_STRETCH},
    "PUT /v1/holiday-lists/{holiday_list}": {
        "path": {"holiday_list": "np"},
        "json": HOLIDAYS,
    },
    "POST /v1/holiday-lists": {"json": {"id": "spare", **HOLIDAYS}},
    "GET /v1/holiday-lists": {},
    "GET /v1/holiday-lists/{holiday_list}": {"path": {"holiday_list": "np"}},
    "DELETE /v1/holiday-lists/{holiday_list}": {"path": {"holiday_list": "spare"}},
    "PUT /v1/tariffs/{tariff}": {"path": {"tariff": "flat"}, "json": TARIFF},
    "POST /v1/tariffs": {"json": {"id": "spare", **TARIFF}},
    "POST /v1/tariffs/import": {
        "params": {"format": "urdb", "timezone": "America/Chicago"},
        "json": RATE,
    },
    "GET /v1/tariffs": {},
    "GET /v1/tariffs/{tariff}": {"path": {"tariff": "flat"}},
    "PATCH /v1/tariffs/{tariff}": {"path": {"tariff": "flat"}, "json": {"name": "One rate"}},
    "DELETE /v1/tariffs/{tariff}": {"path": {"tariff": "spare"}},
    "GET /v1/tariffs/{tariff}/corrections": {"path": {"tariff": "flat"}},
    "GET /v1/tariffs/{tariff}/prices": {"path": {"tariff": "flat"}, "params": DAY},
    "GET /v1/brazil/tables": {},
    "PUT /v1/brazil/tariffs/{tariff}": {"path": {"tariff": "casa"}, "json": BRAZILIAN},
    "GET /v1/brazil/tariffs": {},
    "GET /v1/brazil/tariffs/{tariff}": {"path": {"tariff": "casa"}},
    "DELETE /v1/brazil/tariffs/{tariff}": {"path": {"tariff": "casa"}},
    "PUT /v1/price-series/{series}": {"path": {"series": "spot"}, "json": SPOT},
    "POST /v1/price-series/{series}/prices": {"path": {"series": "spot"}, "json": HOURS},
    "GET /v1/price-series": {},
    "GET /v1/price-series/{series}": {"path": {"series": "spot"}},
    "GET /v1/price-series/{series}/prices": {"path": {"series": "spot"}, "params": DAY},
    "DELETE /v1/price-series/{series}": {"path": {"series": "spot"}},
    "GET /v1/meters/{meter}/gaps": {"path": {"meter": "main"}, "params": IMPORT},
    "GET /v1/meters/{meter}/corrections": {"path": {"meter": "main"}, "params": IMPORT},
    "GET /v1/channels": {"params": {"meters": "main", "days": "30"}},
    "PUT /v1/contracts/{contract}": {"path": {"contract": "main"}, "json": CONTRACT},
    "POST /v1/contracts": {"json": BEFORE},
    "GET /v1/contracts": {},
    "GET /v1/contracts/{contract}": {"path": {"contract": "main"}},
    "PATCH /v1/contracts/{contract}": {"path": {"contract": "main"}, "json": {"end": None}},
    "DELETE /v1/contracts/{contract}": {"path": {"contract": "spare"}},
    "GET /v1/sites/{site}/costs": {"path": {"site": "home"}, "params": DAY},
    "POST /v1/bills": {"json": {"id": "day", "contract": "main", **DAY}},
    "POST /v1/bills/{bill}/issue": {"path": {"bill": "day"}},
    "GET /v1/bills/{bill}": {"path": {"bill": "day"}},
    "GET /v1/bills/{bill}/explain": {"path": {"bill": "day"}},
    "POST /v1/bills/{bill}/check": {"path": {"bill": "day"}, "json": PRINTED},
    "GET /v1/contracts/{contract}/corrections": {"path": {"contract": "main"}},
    "GET /v1/contracts/{contract}/state": {"path": {"contract": "main"}},
    "GET /v1/contracts/{contract}/to-date": {"path": {"contract": "main"}, "params": SINCE},
    "POST /v1/bills/run": {"json": NEXT},
    "POST /v1/bills/reprice": {"json": {"contract": "main"}},
    "POST /v1/exports": {"json": {"meters": ["main"]}},
    # Of a meter that is not there: the job fails, and can be resumed.
    "POST /v1/exports ": {"json": {"meters": ["nobody"]}},
    "GET /v1/jobs": {},
    "GET /v1/jobs/{job}": {"path": {"job": "<the job>"}},
    "GET /v1/jobs/{job}/file": {"path": {"job": "<the job>"}},
    "POST /v1/jobs/{job}/resume": {"path": {"job": "<the job that failed>"}},
    "GET /v1/bills": {"params": {"affected": "true"}},
    "GET /v1/audit": {"params": {"resource": "bill"}},
    "DELETE /v1/bills/{bill}": {"path": {"bill": "<the draft>"}},
    "POST /v1/costs": {"json": COST},
    "POST /v1/costs/compare": {"json": {"meter": "main", "tariffs": ["flat"], **DAY}},
    "GET /v1/brazil/distributors": {},
    "POST /v1/brazil/tariff": {"json": BRAZIL},
    "POST /v1/brazil/questions/branca": {"json": {"customer": BRAZIL, "usage": AUGUST}},
    "POST /v1/brazil/questions/readjustment": {"json": {"customer": BRAZIL, "usage": AUGUST}},
    "POST /v1/brazil/questions/credits": {
        "json": {
            "customer": {**BRAZIL, "generation": {"type": "gd1"}},
            "month": "2026-08",
            "ledger": [{"month": "2026-03", "kwh": "40"}],
        }
    },
    "POST /v1/brazil/bills/read": {"json": {"text": PRINTED_BILL}},
    "POST /v1/brazil/questions/bill": {
        "json": {
            "customer": BRAZIL,
            "text": PRINTED_BILL,
            "start": "2026-08-01",
            "end": "2026-09-01",
        }
    },
    "POST /v1/brazil/questions/demand": {"json": {"customer": FACTORY, "usage": APRIL}},
    "POST /v1/brazil/questions/demand/bills": {"json": {"customer": FACTORY, "bills": [OF_APRIL]}},
    # Last: the meter stays for its bill, with nothing else.
    "DELETE /v1/meters/{meter}/everything": {
        "path": {"meter": "main"},
        "params": {"reason": "request 18"},
    },
}
#: Ids that exist, for fuzzed requests; what they refer to is not deleted.
KNOWN = {
    "site": "home",
    "meter": "main",
    "holiday_list": "np",
    "tariff": "flat",
    "series": "spot",
    "contract": "main",
    "bill": "day",
}
#: Where ids that the service makes are found, and what they are called there.
MADE = {
    "<the first import>": ("/v1/imports", "import"),
    "<the token>": ("/v1/tokens", "prefix"),
    "<the draft>": ("/v1/bills?status=draft", "id"),
    "<the webhook>": ("/v1/webhooks", "id"),
    "<the delivery>": ("/v1/webhooks/<the webhook>/deliveries", "id"),
    "<the job>": ("/v1/jobs?kind=readings.export&status=succeeded", "id"),
    "<the job that failed>": ("/v1/jobs?kind=readings.export&status=failed", "id"),
}
#: Needs a job that has not ended: tests/core/jobs has some.
ELSEWHERE = {"DELETE /v1/jobs/{job}"}

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def known(session: requests.Session, url: str, id_: str) -> str:
    """Return an id, looked up if the service made it."""
    if id_ not in MADE:
        return id_
    where, name = MADE[id_]
    where = re.sub("<.*>", lambda outer: known(session, url, outer[0]), where)
    for _ in range(300):
        items = session.get(url + where).json()["items"]
        # Who asks goes on asking: its own token, `test`, is neither rotated nor revoked.
        if found := [item for item in items if item.get("name") != "test"]:
            return str(found[0][name])
        time.sleep(0.1)  # until the job has ended
    raise TimeoutError(where)


def send(session: requests.Session, url: str, label: str) -> requests.Response:
    """Send the good request of an operation."""
    method, path = label.split()
    request = {**GOOD[label]}
    parts = {name: known(session, url, id_) for name, id_ in request.pop("path", {}).items()}
    headers = headers_of(label)
    return session.request(method, url + path.format(**parts), headers=headers, **request)


def headers_of(label: str) -> dict[str, str]:
    """Return the headers of the good request of an operation."""
    if "data" in GOOD.get(label, ()):
        return {"Content-Type": "text/csv", "Idempotency-Key": "of-a-file"}
    if label.startswith("PATCH"):
        return {"Content-Type": "application/merge-patch+json"}
    return {"Idempotency-Key": label.replace(" ", "-")} if label.startswith("POST") else {}


def document_of(url: str) -> Any:
    """Return the service's document."""
    return requests.get(f"{url}/openapi.json", timeout=10).json()


def operations(url: str) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Yield the operations of the service's document."""
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        assert isinstance(result, Ok), result
        yield result.ok()


def fuzz(
    operation: APIOperation[Any, Any, Any, Any], url: str, examples: int, token: dict[str, str]
) -> None:
    """Send requests that fit the document, and some that do not: with a token, or without one."""
    senders = st.sampled_from([token, token, token, {}, {"Authorization": "Bearer nonsense"}])
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(
            case=operation.as_strategy(generation_mode=mode), known=st.booleans(), sender=senders
        )
        def run(case: "Case[Any]", known: bool, sender: dict[str, str]) -> None:
            if known and case.method != "DELETE":
                case.path_parameters.update(
                    {k: v for k, v in KNOWN.items() if k in case.path_parameters}
                )
            if case.headers:
                case.headers.pop("Authorization", None)  # made up: not even HTTP, at times
            case.call_and_validate(base_url=url, checks=CHECKS, headers=sender)

        # An operation without parameters has no request that does not fit.
        with contextlib.suppress(Unsatisfiable):
            run()


async def test_the_document_is_valid(url: str) -> None:
    """`/openapi.json` is OpenAPI 3.1 in a validator's eyes."""
    document = await asyncio.to_thread(document_of, url)

    validate(document)
    assert document["openapi"].startswith("3.1")


async def test_every_operation_works(url: str) -> None:
    """Every operation of the document answers a good request with 2xx."""

    def run() -> dict[str, int]:
        with requests.Session() as session:
            return {label.rstrip(): send(session, url, label).status_code for label in GOOD}

    statuses = await asyncio.to_thread(run)
    document = await asyncio.to_thread(document_of, url)

    assert set(statuses) | ELSEWHERE == {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert {label: status for label, status in statuses.items() if status // 100 != 2} == {}


@pytest.mark.parametrize("with_body", [False, True], ids=["without_body", "with_body"])
async def test_nothing_breaks_it(
    database: str, with_body: bool, pytestconfig: pytest.Config
) -> None:
    """No generated request makes a server error or is answered against the document."""
    # Bodies take a hundred times as long to make up: `make fuzz` makes many.
    examples = pytestconfig.getoption("--fuzz") or (1 if with_body else 2)

    def run(url: str, admin: dict[str, str]) -> None:
        with requests.Session() as session:
            session.headers.update(admin)
            for label in GOOD:
                send(session, url, label)
        for operation in operations(url):
            if bool(operation.body) == with_body:
                fuzz(operation, url, examples, admin)

    async with serving(database, ENERGIA_AUTH__REQUIRED="true") as service:
        await asyncio.to_thread(run, service.url, await token(database))

        assert service.tracebacks() == []
        assert service.process.returncode is None
