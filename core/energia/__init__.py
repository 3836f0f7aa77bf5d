"""Energia: meter readings in, exact and explained costs out.

What plugin authors import is here, and is resolved only when asked for: the command installs its
signal handlers before anything heavy is imported.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from energia.access.callers import SCOPES as SCOPES
    from energia.access.callers import Authenticator as Authenticator
    from energia.access.callers import Caller as Caller
    from energia.access.callers import Scope as Scope
    from energia.billing.models import BillIssued as BillIssued
    from energia.codes import Currency as Currency
    from energia.codes import UnitName as UnitName
    from energia.codes import ZoneOrOffset as ZoneOrOffset
    from energia.convert import Id as Id
    from energia.convert import dumps as dumps
    from energia.convert import parse as parse
    from energia.convert import structure as structure
    from energia.convert.constraints import Check as Check
    from energia.convert.scalars import Unfit as Unfit
    from energia.convert.structures import Rules as Rules
    from energia.convert.structures import enforce as enforce
    from energia.core import Core as Core
    from energia.core import Probe as Probe
    from energia.core import Seed as Seed
    from energia.costing.timing import PricingFinished as PricingFinished
    from energia.db.tenant import Tenant as Tenant
    from energia.errors import Conflict as Conflict
    from energia.errors import EnergiaError as EnergiaError
    from energia.errors import Fault as Fault
    from energia.errors import Invalid as Invalid
    from energia.errors import Malformed as Malformed
    from energia.errors import NotFound as NotFound
    from energia.errors import Unauthenticated as Unauthenticated
    from energia.health.probes import ComponentType as ComponentType
    from energia.health.probes import Criticality as Criticality
    from energia.health.probes import Observed as Observed
    from energia.hookspecs import hookimpl as hookimpl
    from energia.jobs.tasks import GiveUp as GiveUp
    from energia.jobs.tasks import Retry as Retry
    from energia.jobs.tasks import Task as Task
    from energia.jobs.tasks import TryAgain as TryAgain
    from energia.metering.archives import archive_files as archive_files
    from energia.metering.archives import archive_head as archive_head
    from energia.metering.decoders import Decimals as Decimals
    from energia.metering.decoders import Decoder as Decoder
    from energia.metering.decoders import Description as Description
    from energia.metering.decoders import Doubt as Doubt
    from energia.metering.decoders import Item as Item
    from energia.metering.decoders import MeterRead as MeterRead
    from energia.metering.decoders import Problem as Problem
    from energia.metering.decoders import Proposal as Proposal
    from energia.metering.decoders import Reading as Reading
    from energia.metering.decoders import Readings as Readings
    from energia.metering.decoders import Run as Run
    from energia.metering.names import NameOptions as NameOptions
    from energia.metering.names import Names as Names
    from energia.metering.outcome import Counts as Counts
    from energia.metering.outcome import ReadingsRejected as ReadingsRejected
    from energia.metering.outcome import ReadingsStored as ReadingsStored
    from energia.metering.registers import Register as Register
    from energia.metering.registers import RegisterFault as RegisterFault
    from energia.metering.registers import RegisterRead as RegisterRead
    from energia.metering.series import ACTUAL as ACTUAL
    from energia.metering.series import QUALITIES as QUALITIES
    from energia.metering.series import Micro as Micro
    from energia.metering.sources import Emit as Emit
    from energia.metering.sources import Source as Source
    from energia.metering.sources import SourceFailed as SourceFailed
    from energia.metering.texts import file_lines as file_lines
    from energia.metering.texts import json_document as json_document
    from energia.metering.texts import stamp_instant as stamp_instant
    from energia.outgoing.client import Answer as Answer
    from energia.outgoing.client import NoAnswer as NoAnswer
    from energia.outgoing.client import Outgoing as Outgoing
    from energia.outgoing.client import Session as Session
    from energia.pricing.calendar import Calendar as Calendar
    from energia.pricing.calendar import DayTable as DayTable
    from energia.pricing.calendar import Grid as Grid
    from energia.pricing.charges import AcrossVersions as AcrossVersions
    from energia.pricing.charges import BaseCharge as BaseCharge
    from energia.pricing.charges import BaseMeasure as BaseMeasure
    from energia.pricing.charges import BillSoFar as BillSoFar
    from energia.pricing.charges import Charge as Charge
    from energia.pricing.charges import Components as Components
    from energia.pricing.charges import Examples as Examples
    from energia.pricing.charges import Line as Line
    from energia.pricing.charges import Measure as Measure
    from energia.pricing.charges import Measured as Measured
    from energia.pricing.charges import Mergeable as Mergeable
    from energia.pricing.charges import Name as Name
    from energia.pricing.charges import PriceChange as PriceChange
    from energia.pricing.charges import PriceChanges as PriceChanges
    from energia.pricing.charges import Rate as Rate
    from energia.pricing.charges import RateParts as RateParts
    from energia.pricing.charges import Replace as Replace
    from energia.pricing.charges import Role as Role
    from energia.pricing.charges import Selection as Selection
    from energia.pricing.charges import Slots as Slots
    from energia.pricing.charges import State as State
    from energia.pricing.charges import Step as Step
    from energia.pricing.charges import UnitPrices as UnitPrices
    from energia.pricing.charges import unit_of as unit_of
    from energia.pricing.conversion import Conversion as Conversion
    from energia.pricing.conversion import converts_gas as converts_gas
    from energia.pricing.conversion import unit_charged as unit_charged
    from energia.pricing.demand import BillingDemand as BillingDemand
    from energia.pricing.demand import Demands as Demands
    from energia.pricing.demand import Peak as Peak
    from energia.pricing.determinants import Determinant as Determinant
    from energia.pricing.determinants import Reduction as Reduction
    from energia.pricing.determinants import Term as Term
    from energia.pricing.importing import Imported as Imported
    from energia.pricing.importing import ImportOptions as ImportOptions
    from energia.pricing.importing import ImportWarning as ImportWarning
    from energia.pricing.importing import TariffImporter as TariffImporter
    from energia.pricing.lines import Code as Code
    from energia.pricing.lines import Tags as Tags
    from energia.pricing.market.feeds import Delivery as Delivery
    from energia.pricing.market.feeds import FeedFailed as FeedFailed
    from energia.pricing.market.feeds import FeedRequest as FeedRequest
    from energia.pricing.market.feeds import PriceFeed as PriceFeed
    from energia.pricing.market.feeds import PricesFetched as PricesFetched
    from energia.pricing.market.models import NewPriceSeries as NewPriceSeries
    from energia.pricing.market.models import PricePoint as PricePoint
    from energia.pricing.market.models import PriceUnit as PriceUnit
    from energia.pricing.market.models import SlotLength as SlotLength
    from energia.pricing.market.series import SlotFormula as SlotFormula
    from energia.pricing.measures import BillDays as BillDays
    from energia.pricing.measures import BillMonths as BillMonths
    from energia.pricing.measures import Days as Days
    from energia.pricing.measures import Energy as Energy
    from energia.pricing.measures import EnergyByPeriod as EnergyByPeriod
    from energia.pricing.measures import Months as Months
    from energia.pricing.schedule import DayTypes as DayTypes
    from energia.pricing.schedule import FromTime as FromTime
    from energia.pricing.schedule import Period as Period
    from energia.pricing.schedule import Rule as Rule
    from energia.pricing.schedule import Schedule as Schedule
    from energia.pricing.schedule import ToTime as ToTime
    from energia.pricing.schedule import faults_of_periods as faults_of_periods
    from energia.pricing.slots import LocalDays as LocalDays
    from energia.pricing.slots import Portion as Portion
    from energia.pricing.wording import Language as Language
    from energia.pricing.wording import Texts as Texts
    from energia.pricing.wording import in_language as in_language
    from energia.pricing.wording import words as words
    from energia.settings import SecretStr as SecretStr
    from energia.tracing import Span as Span
    from energia.tracing import Tracer as Tracer
    from energia.tracing import span as span
    from energia.web.panels import Panel as Panel
    from energia.web.routes import PUBLIC as PUBLIC
    from energia.web.routes import Created as Created
    from energia.web.routes import Route as Route
    from energia.web.routes import Routes as Routes
    from energia.web.routes import RoutesBelow as RoutesBelow

__version__ = "0.3.0.dev0"

#: The modules of the public names.
_MODULES = {
    "access.callers": (
        "Authenticator",
        "Caller",
        "Scope",
        "SCOPES",
    ),
    "billing.models": ("BillIssued",),
    "codes": (
        "Currency",
        "UnitName",
        "ZoneOrOffset",
    ),
    "convert": (
        "Id",
        "dumps",
        "parse",
        "structure",
    ),
    "convert.constraints": ("Check",),
    "convert.scalars": ("Unfit",),
    "convert.structures": (
        "enforce",
        "Rules",
    ),
    "core": (
        "Core",
        "Probe",
        "Seed",
    ),
    "costing.timing": ("PricingFinished",),
    "db.tenant": ("Tenant",),
    "errors": (
        "Conflict",
        "EnergiaError",
        "Fault",
        "Invalid",
        "Malformed",
        "NotFound",
        "Unauthenticated",
    ),
    "health.probes": (
        "ComponentType",
        "Criticality",
        "Observed",
    ),
    "hookspecs": ("hookimpl",),
    "jobs.tasks": (
        "GiveUp",
        "Retry",
        "Task",
        "TryAgain",
    ),
    "metering.archives": (
        "archive_files",
        "archive_head",
    ),
    "metering.decoders": (
        "Decimals",
        "Decoder",
        "Description",
        "Doubt",
        "Item",
        "MeterRead",
        "Problem",
        "Proposal",
        "Reading",
        "Readings",
        "Run",
    ),
    "metering.names": (
        "NameOptions",
        "Names",
    ),
    "metering.outcome": (
        "Counts",
        "ReadingsRejected",
        "ReadingsStored",
    ),
    "metering.registers": (
        "Register",
        "RegisterFault",
        "RegisterRead",
    ),
    "metering.series": (
        "ACTUAL",
        "Micro",
        "QUALITIES",
    ),
    "metering.sources": (
        "Emit",
        "Source",
        "SourceFailed",
    ),
    "metering.texts": (
        "file_lines",
        "json_document",
        "stamp_instant",
    ),
    "outgoing.client": (
        "Answer",
        "NoAnswer",
        "Outgoing",
        "Session",
    ),
    "pricing.calendar": (
        "Calendar",
        "DayTable",
        "Grid",
    ),
    "pricing.charges": (
        "AcrossVersions",
        "BaseCharge",
        "BaseMeasure",
        "BillSoFar",
        "Charge",
        "Components",
        "Examples",
        "Line",
        "Measure",
        "Measured",
        "Mergeable",
        "Name",
        "PriceChange",
        "PriceChanges",
        "Rate",
        "RateParts",
        "Replace",
        "Role",
        "Selection",
        "Slots",
        "State",
        "Step",
        "unit_of",
        "UnitPrices",
    ),
    "pricing.conversion": (
        "Conversion",
        "converts_gas",
        "unit_charged",
    ),
    "pricing.demand": (
        "BillingDemand",
        "Demands",
        "Peak",
    ),
    "pricing.determinants": (
        "Determinant",
        "Reduction",
        "Term",
    ),
    "pricing.importing": (
        "Imported",
        "ImportOptions",
        "ImportWarning",
        "TariffImporter",
    ),
    "pricing.lines": (
        "Code",
        "Tags",
    ),
    "pricing.market.feeds": (
        "Delivery",
        "FeedFailed",
        "FeedRequest",
        "PriceFeed",
        "PricesFetched",
    ),
    "pricing.market.models": (
        "NewPriceSeries",
        "PricePoint",
        "PriceUnit",
        "SlotLength",
    ),
    "pricing.market.series": ("SlotFormula",),
    "pricing.measures": (
        "BillDays",
        "BillMonths",
        "Days",
        "Energy",
        "EnergyByPeriod",
        "Months",
    ),
    "pricing.schedule": (
        "DayTypes",
        "faults_of_periods",
        "FromTime",
        "Period",
        "Rule",
        "Schedule",
        "ToTime",
    ),
    "pricing.slots": (
        "LocalDays",
        "Portion",
    ),
    "pricing.wording": (
        "in_language",
        "Language",
        "Texts",
        "words",
    ),
    "settings": ("SecretStr",),
    "tracing": (
        "Span",
        "span",
        "Tracer",
    ),
    "web.panels": ("Panel",),
    "web.routes": (
        "PUBLIC",
        "Created",
        "Route",
        "Routes",
        "RoutesBelow",
    ),
}
_PUBLIC = {name: f"energia.{module}" for module, names in _MODULES.items() for name in names}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 - all are strings


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
