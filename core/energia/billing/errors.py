"""Why contracts and bills are refused: those that would contradict others are 409."""

from energia.errors import Conflict, EnergiaError, Invalid


class ContractsOverlap(Conflict):
    """The meter has another contract in part of the period."""

    code = "contracts_overlap"


class AlreadyBilled(Conflict):
    """Part of the period is billed."""

    code = "already_billed"


class OverlapsDraft(Conflict):
    """There is a draft of part of the period."""

    code = "overlaps_draft"


class NotIssued(Conflict):
    """The bill is a draft."""

    code = "not_issued"


class AlreadyCorrected(Conflict):
    """Another bill has taken the place of this one."""

    code = "already_corrected"


class IssuedAlready(Conflict):
    """The bill is issued: it stays."""

    code = "bill_issued"


class DraftOutdated(Conflict):
    """The draft is not what would be billed now."""

    code = "draft_outdated"


class NoDecimals(Conflict):
    """The tariff does not round amounts: nobody can pay them."""

    code = "no_decimals"


class VersionInUse(Conflict):
    """Bills are issued by this version of the tariff: more than its end is a `correction`.

    A correction is the reason why the tariff was wrong; what the bills are by is kept.
    """

    code = "version_in_use"


class OutsideContract(Invalid):
    """The contract is not in force in all of the period."""

    code = "outside_contract"


class ChargeFailed(EnergiaError):
    """A charge could not be worked out: the fault of its plugin, or of Energia (500)."""

    code = "charge_failed"
