"""A tour with the client that openapi-python-client makes of the document, as it comes.

python tour.py http://127.0.0.1:8080 TOKEN
"""

import json
import sys
from datetime import date
from io import BytesIO

from energia_client import AuthenticatedClient
from energia_client.api.bills import create_bill, explain_bill
from energia_client.api.contracts import create_contract
from energia_client.api.costs import compute_cost
from energia_client.api.meters import create_meter, list_meters
from energia_client.api.readings import import_file
from energia_client.api.sites import create_site, get_site
from energia_client.api.tariffs import create_tariff
from energia_client.models import (
    Bill,
    ChargeEnergyFlat,
    Contract,
    Cost,
    CostRequest,
    Explanation,
    ImportFileOptions,
    ImportOutcome,
    Meter,
    MeterPage,
    NewBill,
    NewChannel,
    NewChannelDirection,
    NewChannelQuantity,
    NewContract,
    NewMeter,
    NewSite,
    NewTariff,
    NewTariffVersion,
    Problem,
    Site,
    Tariff,
)
from energia_client.types import File

SAO_PAULO = "America/Sao_Paulo"
START, END = date(2026, 3, 2), date(2026, 3, 3)
CSV = "time,used\n" + "".join(f"{START}T{hour:02}:00:00-03:00,0.5\n" for hour in range(24))


def say(*what: object) -> None:
    """Print a line of JSON."""
    print(json.dumps(what))


def tour(client: AuthenticatedClient) -> None:
    """Make a site and what belongs to it; price, bill and explain a day."""
    site = create_site.sync(
        client=client,
        body=NewSite(id="casa", name="Casa", timezone=SAO_PAULO, country="BR", currency="BRL"),
    )
    assert isinstance(site, Site)
    channel = NewChannel(
        id="import",
        quantity=NewChannelQuantity.ACTIVE_ENERGY,
        direction=NewChannelDirection.IMPORT,
        unit="kWh",
        interval="PT1H",
    )
    for name in ("a", "b", "c"):
        meter = create_meter.sync(
            client=client, body=NewMeter(id=name, site=site.id, channels=[channel])
        )
        assert isinstance(meter, Meter)
        say(meter.id, meter.channels[0].kind.value, meter.channels[0].offset)

    outcome = import_file.sync(
        client=client,
        format_="csv",
        meter="a",
        options=ImportFileOptions.from_dict({"start_column": "time", "value_column": "used"}),
        body=File(payload=BytesIO(CSV.encode())),
    )
    assert isinstance(outcome, ImportOutcome)
    say("created", outcome.created, outcome.meters)

    energy = ChargeEnergyFlat(kind="energy.flat", description="Energia", rate="0.8")
    version = NewTariffVersion(valid_from=date(2026, 1, 1), charges=[energy])
    new_tariff = NewTariff(
        id="flat", name="Flat", currency="BRL", timezone=SAO_PAULO, versions=[version]
    )
    tariff = create_tariff.sync(client=client, body=new_tariff)
    assert isinstance(tariff, Tariff)
    new_contract = NewContract(id="casa", meter="a", tariff="flat", start=START)
    contract = create_contract.sync(client=client, body=new_contract)
    assert isinstance(contract, Contract)

    request = CostRequest(meter="a", tariff="flat", start=START, end=END)
    cost = compute_cost.sync(client=client, body=request)
    assert isinstance(cost, Cost)
    say("cost", cost.total, cost.currency, cost.coverage.actual)
    bill = create_bill.sync(client=client, body=NewBill(contract=contract.id, start=START, end=END))
    assert isinstance(bill, Bill)
    say("bill", bill.total, bill.status.value, bill.lines[0].description)
    explanation = explain_bill.sync(bill.id, client=client)
    assert isinstance(explanation, Explanation)
    say("explained", explanation.lines[0].arithmetic.expression)

    cursor: str | None = ""
    while cursor is not None:
        page = list_meters.sync(client=client, limit=2, cursor=cursor)
        assert isinstance(page, MeterPage)
        say("page", [meter.id for meter in page.items])
        cursor = page.next_

    missing = get_site.sync("nowhere", client=client)
    assert isinstance(missing, Problem)
    say("problem", missing.status, missing.code)
    wrong = NewMeter(site="nowhere", channels=[])
    refused = create_meter.sync(client=client, body=wrong)
    assert isinstance(refused, Problem)
    say("faults", [(fault.pointer, fault.code) for fault in refused.errors or ()])


if __name__ == "__main__":
    tour(AuthenticatedClient(*sys.argv[1:]))
