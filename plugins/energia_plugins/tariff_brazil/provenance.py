"""The Portuguese of where the tables are from: they note it in English, part by part.

What stands in braces is the same in both languages. Parts that are of one row alone stay English.
"""

from typing import Final

__all__ = ["PORTUGUESE"]

_PAIRS: Final = (
    (
        "ANEEL open data of {month}, in {where} (decimal marks put back)",
        "dados abertos da ANEEL de {month}, em {where} (vírgulas decimais repostas)",
    ),
    (
        "ANEEL open data in force in January 2026, as stored in {where}",
        "dados abertos da ANEEL em vigor em janeiro de 2026, guardados em {where}",
    ),
    (
        "ANEEL open data{which} (resource {id}) of {day}, as stored in {where}",
        "dados abertos da ANEEL{which} (recurso {id}) de {day}, guardados em {where}",
    ),
    (
        "ANEEL open data{which} (resource {id}) of {day}, as read in {where}",
        "dados abertos da ANEEL{which} (recurso {id}) de {day}, lidos em {where}",
    ),
    (
        "ANEEL open data (resource {id}){which}, as stored in {where}",
        "dados abertos da ANEEL (recurso {id}){which}, guardados em {where}",
    ),
    (
        "B1 residencial taken as equal to B3 [?]",
        "B1 residencial tomado como igual ao B3 [?]",
    ),
    (
        "B1 residencial taken as equal to B3, which a second source confirms",
        "B1 residencial tomado como igual ao B3, o que outra fonte confirma",
    ),
    (
        "start: a year before the next one or its end [?]",
        "início: um ano antes da seguinte, ou do fim [?]",
    ),
    (
        "start: a year before the next one [?]",
        "início: um ano antes da seguinte [?]",
    ),
    (
        "start: a year before its end [?]",
        "início: um ano antes do fim [?]",
    ),
    (
        "start: first day that a bill shows it [?]",
        "início: o primeiro dia em que uma conta a mostra [?]",
    ),
    (
        "start [?]",
        "início [?]",
    ),
    (
        "end of validity not stored [?]",
        "fim da vigência não guardado [?]",
    ),
    (
        "end cut by the next row",
        "fim cortado pela linha seguinte",
    ),
    (
        "that of the TE of injected energy and none of its TUSD: as in SP, RS, SC, PB and TO, "
        "assumed",
        "o da TE da energia injetada e nenhum da TUSD: como em SP, RS, SC, PB e TO, suposto",
    ),
    (
        "intermediario: one hour before and one after, assumed",
        "intermediário: uma hora antes e uma depois, suposto",
    ),
    (
        "ponta: {where} (its default)",
        "ponta: {where} (o padrão de lá)",
    ),
    (
        "printed on a bill",
        "impresso numa conta",
    ),
    (
        "printed on bills",
        "impresso em contas",
    ),
    (
        "printed on bills (A4)",
        "impresso em contas (A4)",
    ),
    (
        "as {distributor} [?]",
        "como {distributor} [?]",
    ),
    (
        "no bill seen",
        "não se viu conta",
    ),
    (
        "general rate of the state in a table of a public repository",
        "alíquota geral do estado, numa tabela de um repositório público",
    ),
    (
        "that of electricity may differ",
        "a da energia elétrica pode ser outra",
    ),
    (
        "dates: the yearly readjustment of {day} [?]",
        "datas: o reajuste anual de {day} [?]",
    ),
    (
        "only the sum is published, TE taken from the open data [?]",
        "só a soma é publicada; a TE vem dos dados abertos [?]",
    ),
    (
        "only the sums are known, TE here is what SCEE leaves out [?]",
        "só se conhecem as somas; a TE aqui é o que o SCEE deixa de fora [?]",
    ),
    (
        "only the sum of {percent} % is known, split by {parts}",
        "só se conhece a soma de {percent} %, dividida por {parts}",
    ),
    (
        "deduced from a bill: {sum}",
        "deduzido de uma conta: {sum}",
    ),
    (
        "Deduced from a bill of {month} (GD II): {sum}",
        "deduzido de uma conta de {month} (GD II): {sum}",
    ),
    (
        "louisdemof/helexia-bess-analyzer src/data/distributors.ts (March 2026): {law}",
        "louisdemof/helexia-bess-analyzer src/data/distributors.ts (março de 2026): {law}",
    ),
    (
        "these are an assumption, no distributor's own were found [?]",
        "são uma suposição: não se acharam as da distribuidora [?]",
    ),
    (
        "REN ANEEL 1.000/2021 art. 303: six hours of the distributor between 23:30 and 06:30",
        "REN ANEEL 1.000/2021, art. 303: seis horas da distribuidora entre 23:30 e 06:30",
    ),
    (
        "from memory, no bill seen",
        "de memória; não se viu conta",
    ),
    (
        "start not known",
        "início desconhecido",
    ),
    (
        "start from memory",
        "início de memória",
    ),
)
PORTUGUESE: Final = dict(_PAIRS)
