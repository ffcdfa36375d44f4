"""The picture API: the routes below /v1 that programs know from OpenAI. They take API keys alone."""

from __future__ import annotations

import sys
from typing import Annotated

from fastapi import APIRouter, Depends, Query, params
from fastapi.requests import HTTPConnection
from starlette.requests import Request
from starlette.responses import Response

from streamer.api.auth import bearer
from streamer.api.dependencies import Context, context_of
from streamer.api.v1 import faults, schemas
from streamer.api.v1.answers import Asking, answer
from streamer.api.v1.faults import Fault
from streamer.api.v1.schemas import body_schema
from streamer.api.v1.tenants import Tenant, month_start
from streamer.api.v1.uploads import check_reference, read_form, read_json

_DAY = r"^\d{4}-\d{2}-\d{2}$"


def note_tenant(connection: HTTPConnection) -> None:
    """Keep whose key a request shows in its state; raise a Fault for any other token."""
    tenant = context_of(connection).picture_api.tenants.of(bearer(connection.headers))
    if tenant is None:
        raise faults.no_key()
    connection.state.tenant = tenant


KEY: params.Depends = Depends(note_tenant)
"""The dependency of a route that only a tenant's key opens."""
ERRORS = {"default": {"model": schemas.ErrorOut}}
EVENTS = {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "model": schemas.ImagesOut}

# The routes compare the length of a body before they read it, so that they can say so in OpenAI's shape.
router = APIRouter(prefix="/v1", tags=["picture API"], responses=ERRORS, max_body_size=sys.maxsize)  # type: ignore[arg-type]


def _asking(request: Request, context: Context, ask: schemas.Ask, event: str) -> Asking:
    key = request.headers.get("idempotency-key", "")
    return Asking(context.picture_api, request.state.tenant, ask, key, event, context.url)


@router.post(
    "/images/generations", dependencies=[KEY], response_model=schemas.ImagesOut,
    openapi_extra=body_schema("application/json"), responses={200: EVENTS},
)  # fmt: skip
async def generate(request: Request, context: Context) -> Response:
    """Draw pictures from words; with ``stream`` as server-sent events."""
    api = context.picture_api
    ask = schemas.resolved(schemas.parsed(await read_json(request)), api.options, api.models())
    return await answer(request, _asking(request, context, ask, "image_generation"))


@router.post(
    "/images/edits", dependencies=[KEY], response_model=schemas.ImagesOut,
    openapi_extra=body_schema("multipart/form-data", image=True), responses={200: EVENTS},
)  # fmt: skip
async def edit(request: Request, context: Context) -> Response:
    """Change a picture as words say; with ``stream`` as server-sent events."""
    api = context.picture_api
    fields, picture = await read_form(request)
    check_reference(picture)
    ask = schemas.resolved(schemas.parsed(fields), api.options, api.models(), picture)
    return await answer(request, _asking(request, context, ask, "image_edit"))


@router.get("/images/files/{name}", response_class=Response)
async def file(name: str, request: Request, context: Context) -> Response:
    """Return a picture by the address of an answer: whoever knows the address needs no key."""
    api = context.picture_api
    if (picture := api.links.get(name, api.now())) is None:
        if api.tenants.of(bearer(request.headers)) is None:
            raise faults.no_key()
        raise Fault(404, "this address is not valid, or no longer", code="not_found")
    return Response(picture.data, media_type=picture.media_type, headers={"cache-control": "private, no-store"})


@router.get("/models", dependencies=[KEY])
async def models(context: Context) -> schemas.ModelsOut:
    """List the model that draws now, by each of its names."""
    api = context.picture_api
    return schemas.ModelsOut(data=[_model(name, context) for name in api.models()])


@router.get("/models/{model:path}", dependencies=[KEY])
async def model(model: str, context: Context) -> schemas.ModelOut:
    """Describe the model that draws now."""
    if model not in context.picture_api.models():
        raise Fault(404, f"the model '{model}' does not exist", param="model", code="model_not_found")
    return _model(model, context)


def _model(name: str, context: Context) -> schemas.ModelOut:
    return schemas.ModelOut(id=name, created=int(context.picture_api.started_at))


@router.get("/usage", dependencies=[KEY])
async def usage(
    request: Request, context: Context, since: Annotated[str | None, Query(pattern=_DAY)] = None
) -> schemas.UsageReportOut:
    """Report what the key's tenant has used this month, or since a day, and what is left."""
    api, tenant = context.picture_api, _tenant(request)
    days = await api.usage.usage(since or month_start(api.wall()), tenant.name)
    return schemas.usage_report(tenant, days, api.options, api.now(), api.today())


def _tenant(request: Request) -> Tenant:
    tenant: Tenant = request.state.tenant
    return tenant


@router.api_route(
    "/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], dependencies=[KEY],
    include_in_schema=False,
)  # fmt: skip
async def nothing(rest: str, request: Request) -> Response:
    """Answer 404, or 401 without a key."""
    raise Fault(404, f"there is no {request.method} /v1/{rest} here", code="unknown_url")
