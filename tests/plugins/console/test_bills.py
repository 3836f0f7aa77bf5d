"""Bills: the list, drafting, issuing and correcting, as a person does it."""

from http import HTTPStatus

import pytest

from energia.db.pool import Pool
from energia.settings import Auth, Jobs
from tests.plugins.console import inn
from tests.plugins.console.service import Service, serve
from tests.serving import Serving


async def test_nothing_yet(open_service: Service) -> None:
    """Without a bill and a contract the pages say so, and how one comes about."""
    assert "There is no bill yet." in (await open_service.get("/console/bills")).text
    assert "There is no contract yet." in (await open_service.get("/console/bills/new")).text
    page = await open_service.get("/console/bills?show=affected")
    assert "nothing to correct" in page.text
    page = await open_service.get("/console/bills?show=draft")
    assert "No bill is like this." in page.text


async def test_from_draft_to_issued(open_service: Service) -> None:
    """A bill is drafted by its first and last day, issued after a question, and is in the list."""
    await inn.fill(open_service)
    days = {"/contract": inn.CONTRACT, "/start": "2026-03-02", "/end": "2026-03-03"}
    page = await open_service.post("/console/bills/new", {**days, "/missing": ""})
    assert page.status == HTTPStatus.OK
    assert "2 Mar 2026 to 3 Mar 2026" in page.text
    assert "Draft, priced on" in page.text

    asked = await open_service.get(f"{page.path}?ask=issue")
    assert "Issue this bill? BRL 1,177.50" in asked.text
    issued = await open_service.post(f"{page.path}/issue", {})
    assert issued.path == page.path
    assert "Issued on" in issued.text
    assert "Delete the draft" not in issued.text

    bills = await open_service.get("/console/bills")
    assert "The last bill, 2 Mar 2026 to 3 Mar 2026: BRL 1,177.50." in bills.text


async def test_deleting_a_draft(open_service: Service) -> None:
    """A draft goes after a question that says what stays; an issued bill does not."""
    await inn.fill(open_service)
    bill = await inn.draft(open_service)
    asked = await open_service.get(f"/console/bills/{bill}?ask=delete")
    assert "Readings, contract and issued bills stay" in asked.text
    after = await open_service.post(f"/console/bills/{bill}/delete", {})
    assert after.path == "/console/bills"
    assert "There is no bill yet." in after.text

    bill = await inn.issue(open_service)
    refused = await open_service.post(f"/console/bills/{bill}/delete", {})
    assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'role="alert"' in refused.html


async def test_a_mistake_in_the_form(open_service: Service) -> None:
    """A fault stands at its field, and what was typed is there still."""
    await inn.fill(open_service)
    days = {"/contract": inn.CONTRACT, "/start": "2026-03-05", "/end": "2026-03-02"}
    page = await open_service.post("/console/bills/new", {**days, "/missing": "zero"})
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'id="/end-fault"' in page.html
    assert 'value="2026-03-05"' in page.html
    assert '<option value="zero" selected>' in page.html

    days = {"/contract": inn.CONTRACT, "/start": "2026-03-02", "/end": "2026-03-04"}
    page = await open_service.post("/console/bills/new", {**days, "/missing": ""})
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "no reading from 2026-03-04" in page.text

    page = await open_service.get("/console/bills?start=yesterday")
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'id="start-fault"' in page.html


async def test_a_mistake_in_portuguese(open_service: Service) -> None:
    """Days are typed as Brazilians write them, and what is wrong is said in Portuguese."""
    await inn.fill(open_service)
    days = {"/contract": inn.CONTRACT, "/start": "02/03/2026", "/end": "04/03/2026"}

    page = await open_service.post("/console/bills/new?language=pt-BR", {**days, "/missing": ""})

    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Faltam leituras (4 mar. 2026" in page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "no reading" not in page.text
    assert 'value="02/03/2026"' in page.html


async def test_a_draft_that_is_not_up_to_date(open_service: Service) -> None:
    """A draft of other readings says so, is not issued, and is priced again by a button."""
    await inn.fill(open_service)
    bill = await inn.draft(open_service)
    await inn.read(open_service, "2026-03-02T00:00:00-03:00", [20])

    page = await open_service.get(f"/console/bills/{bill}")
    assert "This draft is not up to date" in page.text
    assert "1,177.50" in page.text
    assert "Why?" not in page.text
    refused = await open_service.post(f"/console/bills/{bill}/issue", {})
    assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY

    page = await open_service.post(f"/console/bills/{bill}/price", {})
    assert "1,180.00" in page.text  # 10 kWh more of fora ponta
    assert "not up to date" not in page.text


async def test_correcting(open_service: Service) -> None:
    """What an issued bill would be now is told, then line by line; both bills name each other."""
    await inn.fill(open_service, quality="estimated")
    bill = await inn.issue(open_service)
    await inn.read(open_service, "2026-03-02T00:00:00-03:00", [30])

    page = await open_service.get(f"/console/bills/{bill}")
    assert "This bill would be different now: BRL 5.00 more" in page.text
    assert "Changed since: readings." in page.text
    affected = await open_service.get("/console/bills?show=affected")
    assert "One issued bill would be another one now: BRL 5.00 in all." in affected.text

    draft = await open_service.post(f"/console/bills/{bill}/correct", {})
    assert "Correction, not issued yet: BRL 5.00 more" in draft.text
    assert "Its energy is 20 kWh more." in draft.text
    assert "1 interval had been estimated and is measured now." in draft.text
    assert "Consumo, fora ponta 420 kWh 440 kWh 105.00 110.00 +5.00" in draft.text

    after = await open_service.post(f"{draft.path}/issue", {})
    assert "A correction: BRL 5.00 more" in after.text
    assert f'href="/console/bills/{bill}"' in after.html
    before = await open_service.get(f"/console/bills/{bill}")
    assert "This bill was corrected: BRL 5.00 more" in before.text
    assert f'href="{draft.path}"' in before.html


async def test_a_run(pool: Pool, serving: Serving) -> None:
    """A run over all contracts is a job, whose page says how it ended and what it could not do."""
    async with serve(serving, pool, auth=Auth(required=False), jobs=Jobs(concurrency=1)) as service:
        await inn.fill(service)
        days = {"/start": "2026-03-02", "/end": "2026-03-03"}
        page = await service.post("/console/bills/run", days)
        assert page.path.startswith("/console/bills/runs/")
        while 'data-progress="on"' in page.html:
            page = await service.get(page.path)
        assert "All are done." in page.text
        assert "New drafts 1" in page.text

        days = {"/start": "2026-03-02", "/end": "2026-03-04"}
        page = await service.post("/console/bills/run", days)
        while 'data-progress="on"' in page.html:
            page = await service.get(page.path)
        assert "One contract could not be billed" in page.text
        assert inn.CONTRACT in page.text


async def test_correcting_all(pool: Pool, serving: Serving) -> None:
    """One button drafts the corrections of all bills that would be others now."""
    async with serve(serving, pool, auth=Auth(required=False), jobs=Jobs(concurrency=1)) as service:
        await inn.fill(service)
        await inn.issue(service)
        await inn.read(service, "2026-03-02T00:00:00-03:00", [30])
        page = await service.post("/console/bills/correct", {})
        while 'data-progress="on"' in page.html:
            page = await service.get(page.path)
        assert "Corrections of bills" in page.text
        drafts = await service.get("/console/bills?show=draft")
        assert "Draft of a correction" in drafts.text


async def test_what_a_token_does_not_allow(service: Service) -> None:
    """Who may not bill sees neither the place nor the page."""
    await service.sign_in("readings:read")
    assert "/console/bills" not in (await service.get("/console")).html
    for path in ("/console/bills", "/console/bills/new"):
        assert (await service.get(path)).status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Bills", "To the period before", "Draft a bill")),
        ("pt-BR", ("Contas", "Sobre o período anterior", "Fazer uma conta")),
    ],
)
async def test_both_languages(open_service: Service, language: str, words: tuple[str, ...]) -> None:
    """The list speaks the language of the browser."""
    await inn.fill(open_service)
    await inn.draft(open_service)
    page = await open_service.get("/console/bills", Accept_Language=language)
    for word in words:
        assert word in page.text
