"""Ids in paths; the examples are those of `energia.web.examples`."""

from typing import Annotated

from msgspec import Meta

from energia.convert import Id

SiteId = Annotated[Id, Meta(description="The id of the site.", examples=["casa"])]
MeterId = Annotated[Id, Meta(description="The id of the meter.", examples=["UC-123"])]
ChannelId = Annotated[
    Id, Meta(description="The id of the channel; without one, the meter's only one.")
]
TariffId = Annotated[Id, Meta(description="The id of the tariff.", examples=["branca"])]
HolidayListId = Annotated[
    Id, Meta(description="The id of the list of holidays.", examples=["br-national"])
]
ImportId = Annotated[
    Id,
    Meta(description="The `import` of an answer to readings or to a file.", examples=["imp_1"]),
]
ContractId = Annotated[Id, Meta(description="The id of the contract.", examples=["casa-2026"])]
BillId = Annotated[Id, Meta(description="The id of the bill.", examples=["casa-2026-03-02"])]
PriceSeriesId = Annotated[Id, Meta(description="The id of the price series.", examples=["spot-es"])]
