"""The service: how it is, its jobs, tokens, webhooks, and who changed what."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import attrs
from aiohttp import web

from energia import SCOPES, Conflict, Invalid, Routes
from energia.web.panels import Subject
from energia_plugins.console.faults import refused
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View, marked
from energia_plugins.console.panels import panels_of
from energia_plugins.console.service import state, tokens, watching

Json = Mapping[str, Any]
_HOME: Final = "/console/service"
_JOBS: Final = "10"
_ENTRIES: Final = "50"
_DELIVERIES: Final = "5"

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)


@attrs.frozen
class _Part:
    """A page of the service, in the choice at its head."""

    name: str
    title: str
    path: str
    operation: str


_PARTS: Final = (
    _Part("state", marked("Health"), _HOME, "list_jobs"),
    _Part("tokens", marked("Tokens"), f"{_HOME}/tokens", "list_tokens"),
    _Part("webhooks", marked("Webhooks"), f"{_HOME}/webhooks", "list_webhooks"),
    _Part("audit", marked("Who changed what"), f"{_HOME}/audit", "list_audit_entries"),
)


def _shown(
    view: View, template: str, part: str, status: int = HTTPStatus.OK, **data: object
) -> web.Response:
    """Return a page of the service."""
    every = [one for one in _PARTS if view.api.may(one.operation)]
    return view.page(
        template, place="service", status=status, service_parts=every, part=part, **data
    )


# Its state: components, jobs, feeds, plugins.


@routes.get(_HOME, produces=("text/html",))
async def show_service(request: web.Request) -> web.Response:
    """Show how the service is."""
    view = View.of(request)
    jobs, series, plugins = await asyncio.gather(
        view.items("list_jobs", limit=_JOBS),
        view.items("list_price_series", limit="100"),
        view.items("list_plugins"),
    )
    components = state.components_of(view)
    return _shown(
        view,
        "service.html",
        "state",
        components=components,
        verdict=state.verdict(view, components),
        jobs=None if jobs is None else state.jobs_of(view, jobs),
        series=None if series is None else state.series_of(view, series),
        plugins=None if plugins is None else state.plugins_of(view, plugins),
        panels=await panels_of(view, "service", Subject()),
        fault=request.query.get("fault", ""),
    )


@routes.post(_HOME + "/jobs/{job}/cancel")
async def cancel_job_here(job: str, request: web.Request) -> web.Response:
    """Cancel a job."""
    return await _of_job(request, "cancel_job", job)


@routes.post(_HOME + "/jobs/{job}/resume")
async def resume_job_here(job: str, request: web.Request) -> web.Response:
    """Let a job go on."""
    return await _of_job(request, "resume_job", job)


async def _of_job(request: web.Request, operation: str, job: str) -> web.Response:
    """Do something to a job; one that has ended meanwhile is shown as it is."""
    await Form.read(request)
    view = View.of(request)
    try:
        await view.api.call(operation, job=job)
    except Conflict:
        return view.see(_HOME, fault="job")
    return view.see(_HOME)


# Tokens.


@routes.get(_HOME + "/tokens", produces=("text/html",))
async def show_tokens(request: web.Request) -> web.Response:
    """Show the tokens, and the form that makes one."""
    return await _tokens(View.of(request), Form({"scope-readings:read": "on", "days": "90"}))


async def _tokens(
    view: View, form: Form, status: int = HTTPStatus.OK, made: Json | None = None
) -> web.Response:
    query = view.request.query
    page = await view.api.call("list_tokens", limit="100", cursor=query.get("cursor", ""))
    return _shown(
        view,
        "service_tokens.html",
        "tokens",
        status,
        rows=tokens.tokens_of(view, page["items"]),
        next=page["next"] and view.same(cursor=page["next"]),
        form=form,
        scopes=tokens.choices(view),
        lengths=tokens.lengths(view),
        made=made,
    )


@routes.post(_HOME + "/tokens")
async def make_token(request: web.Request) -> web.Response:
    """Make a token, and show it this once."""
    form = await Form.read(request)
    view = View.of(request)
    try:
        made = await view.api.call("post_token", body=tokens.body_of(view, form))
    except Invalid as error:
        # The boxes are one field of the API, under one name.
        boxes = attrs.evolve(form, values={**form.values, "/scopes": ""})
        return await _tokens(
            view, refused(view.words, boxes, error, own=""), HTTPStatus.UNPROCESSABLE_ENTITY
        )
    return await _tokens(view, Form({"scope-readings:read": "on", "days": "90"}), made=made)


@routes.get(_HOME + "/tokens/{prefix}/revoke", produces=("text/html",))
async def ask_to_revoke(prefix: str, request: web.Request) -> web.Response:
    """Ask once whether a token is to be revoked."""
    view = View.of(request)
    token = await view.api.call("get_token", prefix=prefix)
    (row,) = tokens.tokens_of(view, [token])
    return _shown(view, "service_revoke.html", "tokens", row=row)


@routes.post(_HOME + "/tokens/{prefix}/revoke")
async def revoke_token(prefix: str, request: web.Request) -> web.Response:
    """Revoke a token."""
    await Form.read(request)
    view = View.of(request)
    await view.api.call("delete_token", prefix=prefix)
    return view.see(f"{_HOME}/tokens")


# Webhooks, and the audit log.


@routes.get(_HOME + "/webhooks", produces=("text/html",))
async def show_webhooks(request: web.Request) -> web.Response:
    """Show the webhooks, each with the last of what was sent to it."""
    view = View.of(request)
    page = await view.api.call("list_webhooks", limit="50")
    rows = []
    for webhook in page["items"]:
        sent = await view.api.call("list_deliveries", webhook=webhook["id"], limit=_DELIVERIES)
        rows.append(watching.webhook_of(view, webhook, sent["items"]))
    return _shown(view, "service_webhooks.html", "webhooks", rows=rows)


@routes.get(_HOME + "/audit", produces=("text/html",))
async def show_audit(request: web.Request) -> web.Response:
    """Show who changed what, the newest first."""
    view, query = View.of(request), request.query
    resource = query.get("resource") if query.get("resource") in watching.RESOURCES else None
    asked = {"limit": _ENTRIES, "cursor": query.get("cursor", "")}
    page = await view.api.call(
        "list_audit_entries", **asked, **({"resource": resource} if resource else {})
    )
    return _shown(
        view,
        "service_audit.html",
        "audit",
        rows=watching.entries_of(view, page["items"]),
        next=page["next"] and view.same(cursor=page["next"]),
        form=Form({"resource": resource or ""}),
        resources=[
            ("", view.text("everything")),
            *((name, view.text(text)) for name, text in watching.RESOURCES.items()),
        ],
    )
