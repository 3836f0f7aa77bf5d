"""Files in the shape of ANEEL's open data."""

from typing import Final

#: The columns of its tariffs.
TARIFF_COLUMNS: Final = (
    "DatGeracaoConjuntoDados;DscREH;SigAgente;NumCNPJDistribuidora;DatInicioVigencia;"
    "DatFimVigencia;DscBaseTarifaria;DscSubGrupo;DscModalidadeTarifaria;DscClasse;DscSubClasse;"
    "DscDetalhe;NomPostoTarifario;DscUnidadeTerciaria;SigAgenteAcessante;VlrTUSD;VlrTE"
)
#: Those of its components.
COMPONENT_COLUMNS: Final = (
    "DatGeracaoConjuntoDados;DscResolucaoHomologatoria;SigNomeAgente;NumCPFCNPJ;DatInicioVigencia;"
    "DatFimVigencia;DscBaseTarifaria;DscSubGrupoTarifario;DscModalidadeTarifaria;"
    "DscClasseConsumidor;DscSubClasseConsumidor;DscDetalheConsumidor;DscPostoTarifario;DscUnidade;"
    "DscComponenteTarifario;VlrComponenteTarifario"
)
#: Its bandeiras, green until the end of the year.
FLAGS: Final = "\n".join(
    [
        "DatGeracaoConjuntoDados;DatCompetencia;NomBandeiraAcionada;VlrAdicionalBandeira",
        *(f'"2026-09-28";"2026-{month:02}-01";"Verde";",00"' for month in range(7, 13)),
    ]
).encode()
AGENT: Final = "RESOLUÇÃO HOMOLOGATÓRIA Nº 3.571, DE 10 DE MARÇO DE 2026;ENEL RJ;33050071000158"
HOME: Final = "B1;Convencional;Residencial;Residencial;Não se aplica;Não se aplica;MWh"


def tariff_row(
    start: str,
    end: str,
    tusd: str,
    te: str,
    *,
    basis: str = "Tarifa de Aplicação",
    agent: str = AGENT,
    of: str = HOME,
) -> str:
    """Return a row of the tariffs, of a home of Enel's in Rio unless it says otherwise."""
    return f"2026-09-28;{agent};{start};{end};{basis};{of};Não se aplica;{tusd};{te}"


def tariffs(*rows: tuple[str, str, str, str]) -> bytes:
    """Return a file of tariffs of homes of Enel's in Rio: the first and last days, TUSD and TE."""
    return "\n".join([TARIFF_COLUMNS, *(tariff_row(*row) for row in rows), ""]).encode()
