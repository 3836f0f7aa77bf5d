"""Changes of a document: merge patches (RFC 7396).

A handler that answers PATCH takes one as its body, and puts it onto what is stored:

    @routes.patch("/v1/sites/{site}", errors=(NotFound,))
    async def patch_site(site: SiteId, body: MergePatch[NewSite], tenant: Tenant) -> Site:
        new = body.onto(await registry.site(tenant, site))
        ...

It is called within one transaction that holds the row (`Route.holds`), so that nobody writes
between the two.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, TypeVar, cast, get_args, get_origin

import attrs

from energia.convert import Converter
from energia.convert.fields import fields

__all__ = ["MergePatch"]

T = TypeVar("T")

#: The media type of a merge patch.
MERGE_PATCH: Final = "application/merge-patch+json"


class MergePatch(Generic[T]):
    """What is to change of a document: its members by name, null for one that goes.

    Attributes:
        members: The JSON of the patch.

    """

    def __init__(self, members: Mapping[str, object], type_: type[T], converter: Converter) -> None:
        """Change documents that are read as a *type_*."""
        self.members = members
        self._type = type_
        self._converter = converter

    def onto(self, current: object) -> T:
        """Return *current* with the changes, held to all that the whole is held to.

        What is not named stays as it is, to the last digit. Raises `Invalid`, whose pointers are
        into the document, and so into the patch where it names that.
        """
        document = {
            field.json_name: self._shown(getattr(current, field.name), field.type)
            for field in fields(type(current))
        }
        changed = self._converter.structure(merged(document, self.members), self._type)
        kept = {
            field.name: getattr(current, field.name)
            for field in fields(self._type)
            if field.json_name not in self.members and hasattr(current, field.name)
        }
        return cast("T", attrs.evolve(cast("Any", changed), **kept))

    def _shown(self, value: object, type_: Any) -> object:
        """Return the JSON of a field; any JSON that a client once sent is that already."""
        if get_origin(type_) is Annotated:
            type_ = get_args(type_)[0]
        return value if type_ == dict[str, Any] else self._converter.unstructure(value)


def merged(target: object, patch: object) -> object:
    """Return *target* as RFC 7396 changes it by *patch*."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
