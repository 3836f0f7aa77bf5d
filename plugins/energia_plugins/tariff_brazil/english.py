"""The English of what the kit says in Portuguese: its messages, by their Portuguese.

What is only known when it is said stands in braces, under one name in both languages.
"""

from typing import Final

__all__ = ["ENGLISH"]

_PAIRS: Final = (
    (
        "nenhum dos {priced} preços tem casas decimais: o arquivo perdeu as vírgulas (34,97 virou "
        "3497); baixe-o de novo da ANEEL",
        "none of the {priced} prices has decimals: the file has lost its commas (34,97 became "
        "3497); download it from ANEEL again",
    ),
    (
        "{price} passa de {most} {unit}: não é plausível; o arquivo perdeu a vírgula decimal?",
        "{price} is above {most} {unit}, which is not plausible: has the file lost its decimal "
        "comma?",
    ),
    (
        "faltam as colunas {lacking}: não é um arquivo de dados abertos da ANEEL",
        "the columns {lacking} are missing: it is no file of ANEEL's open data",
    ),
    (
        "linha {line}: {message}",
        "line {line}: {message}",
    ),
    (
        "não é CSV: {error}",
        "it is no CSV: {error}",
    ),
    (
        "não há linha de conta no texto: uma linha é como `Consumo kWh 200 0,95 190,00`, a "
        "descrição e o valor em reais",
        "the text has no line of a bill: a line is like `Consumo kWh 200 0,95 190,00`, the "
        "description and the amount in reais",
    ),
    (
        "para ler PDF instale `energia[pdf]`",
        "to read PDF install `energia[pdf]`",
    ),
    (
        "não é um PDF que se possa ler ({error})",
        "it is no PDF that can be read ({error})",
    ),
    (
        "o PDF não tem texto, só imagens: digite as linhas da conta",
        "the PDF has no text, only pictures: type the lines of the bill",
    ),
    (
        "o total da conta não foi encontrado",
        "the total of the bill was not found",
    ),
    (
        "as linhas lidas somam {added}, a conta diz {total}",
        "the lines that were read add up to {added}, the bill says {total}",
    ),
    (
        "as datas de leitura não foram encontradas",
        "the days of the reads were not found",
    ),
    (
        "não se sabe o que é a linha {line}",
        "it is not known what the line {line} is",
    ),
    (
        "a linha {line} não tem kWh que, vezes o preço, deem {amount}: digite os kWh cobrados, "
        "como em `Consumo kWh 100 1,07880 107,88`, ou diga o medidor",
        "the line {line} has no kWh that make {amount} at its price: type the kWh that are "
        "charged, as in `Consumo kWh 100 1,07880 107,88`, or name the meter",
    ),
    (
        "como {distributor} imprime suas contas",
        "how {distributor} prints its bills",
    ),
    (
        "há a partir de {days}",
        "there are some from {days}",
    ),
    (
        "não há nenhuma",
        "there is none",
    ),
    (
        "a tabela não tem o subgrupo {subgroup} de {distributor}: há {known}",
        "the table does not have the subgroup {subgroup} of {distributor}: there are {known}",
    ),
    (
        "tarifa {tariff}",
        "tariff {tariff}",
    ),
    (
        "a bandeira é sobre todo o custo de disponibilidade, onde ele se fatura",
        "the bandeira is on the whole minimum, where that is billed",
    ),
    (
        "bandeiras tarifárias",
        "bandeiras",
    ),
    (
        "a tabela não tem a bandeira de {month}: diga-a em overrides.flags (R$/MWh), ou atualize "
        "a tabela",
        "the table does not have the bandeira of {month}: say it in overrides.flags (R$/MWh), or "
        "update the table",
    ),
    (
        "a bandeira é em R$/MWh, e {price} parece ser R$/kWh: seria {right}",
        "the bandeira is in R$/MWh, and {price} seems to be R$/kWh: it would be {right}",
    ),
    (
        "quem compra energia no mercado livre não participa do SCEE (REN 1.000/2021)",
        "who buys energy in the free market has no part in the SCEE (REN 1.000/2021)",
    ),
    (
        "como a energia compensada é cobrada",
        "how energy that is offset is charged",
    ),
    (
        "a compensação do grupo A como a do grupo B, por posto",
        "group A offsets as group B does, by posto",
    ),
    (
        "a tabela não tem a tarifa SCEE {tariff} de {distributor}: diga-a em "
        "overrides.rates.{posto}.scee",
        "the table does not have the SCEE tariff {tariff} of {distributor}: say it in "
        "overrides.rates.{posto}.scee",
    ),
    (
        "créditos de um posto em outro: na razão das TE",
        "credits of one posto in another: in the ratio of their TE",
    ),
    (
        "Fio B da GD II: {share}",
        "Fio B of GD II: {share}",
    ),
    (
        "o que a GD III paga",
        "what GD III pays",
    ),
    (
        "a tabela não tem {component} de {distributor}: diga-o em {where}",
        "the table does not have {component} of {distributor}: say it in {where}",
    ),
    (
        "{what}: o do B1",
        "{what}: that of B1",
    ),
    (
        "o subgrupo {subgroup} tem as modalidades {known}",
        "the subgroup {subgroup} has the modalities {known}",
    ),
    (
        "desconto da energia incentivada na TUSD de ponta da verde: na parte acima da TUSD fora "
        "ponta",
        "discount of incentivised energy on the TUSD of the ponta of verde: on the part above the "
        "TUSD of the fora ponta",
    ),
    (
        "a tabela não tem as perdas de transformação de {subgroup}",
        "the table does not have the transformer losses of {subgroup}",
    ),
    (
        "perdas de transformação de {subgroup}: {percent} %",
        "transformer losses of {subgroup}: {percent}%",
    ),
    (
        "a tabela não tem a regra da demanda",
        "the table does not have the rule of demand",
    ),
    (
        "demanda contratada e ultrapassagem",
        "contracted demand and what exceeds it",
    ),
    (
        "a modalidade {modality} contrata: {postos}",
        "the modality {modality} contracts: {postos}",
    ),
    (
        "energia reativa não é cobrada",
        "reactive energy is not charged",
    ),
    (
        "a demanda reativa excedente (DRE) não é cobrada",
        "excess reactive demand (DRE) is not charged",
    ),
    (
        "a tabela não tem a regra da energia reativa",
        "the table does not have the rule of reactive energy",
    ),
    (
        "energia e demanda reativas excedentes",
        "excess reactive energy and demand",
    ),
    (
        "energia reativa capacitiva não é cobrada, e a indutiva conta a toda hora",
        "capacitive energy is not charged, and inductive energy counts at all hours",
    ),
    (
        "horas capacitivas de {distributor}: {first} a {last}",
        "capacitive hours of {distributor}: {first} to {last}",
    ),
    (
        "a tabela não tem a TE de B1 de {distributor}, que é o preço da energia reativa: diga-o "
        "em overrides.reactive, ou reactive: none",
        "the table does not have the TE of B1 of {distributor}, which is the price of reactive "
        "energy: say it in overrides.reactive, or reactive: none",
    ),
    (
        "registers: só a modalidade branca tem um registrador por posto",
        "registers: only the modality branca has a register for each posto",
    ),
    (
        "a modalidade branca não é da classe {class}",
        "the modality branca is not for the class {class}",
    ),
    (
        "com um registrador por posto, o ICMS por faixa de cada parte do consumo não se calcula: "
        "diga uma alíquota em overrides.icms, ou use leituras por intervalo",
        "with a register for each posto, ICMS by band of each part of the consumption cannot be "
        "worked out: say one rate in overrides.icms, or use readings by interval",
    ),
    (
        "tarifa social",
        "social tariff",
    ),
    (
        "descontos da tarifa social",
        "discounts of the social tariff",
    ),
    (
        "não há desconto social em {day}: começa em 01/01/2026",
        "there is no social discount on {day}: it begins on 2026-01-01",
    ),
    (
        "desconto social",
        "social discount",
    ),
    (
        "a tarifa social é de residências, do subgrupo B1, e não do {subgroup}",
        "the social tariff is of homes, of the subgroup B1, and not of {subgroup}",
    ),
    (
        "a tabela não tem o custo de disponibilidade em {day}: diga-o em overrides.minimum_kwh",
        "the table does not have the minimum on {day}: say it in overrides.minimum_kwh",
    ),
    (
        "custo de disponibilidade, {phases}: {kwh} kWh",
        "minimum, {phases}: {kwh} kWh",
    ),
    (
        "a faixa do ICMS é a do consumo medido, também onde se fatura o custo de disponibilidade",
        "the band of ICMS is that of what is measured, also where the minimum is billed",
    ),
    (
        "os descontos da tarifa social são também no adicional de bandeira",
        "the discounts of the social tariff are on the bandeira, too",
    ),
    (
        "{path} não é um arquivo de tarifas, de componentes nem de bandeiras da ANEEL: a primeira "
        "linha não tem as colunas de nenhum deles",
        "{path} is no file of ANEEL's tariffs, components or bandeiras: the first line has the "
        "columns of none of them",
    ),
    (
        "a tabela não tem a iluminação pública de {where}, será {near}?: diga a cobrança em "
        "overrides.lighting",
        "the table does not have the public lighting of {where}; is it {near}?: say the charge in "
        "overrides.lighting",
    ),
    (
        "a tabela não tem a iluminação pública de {where}; conhecidos: {known}: diga a cobrança "
        "em overrides.lighting",
        "the table does not have the public lighting of {where}; known are: {known}: say the "
        "charge in overrides.lighting",
    ),
    (
        "a tabela não tem a iluminação pública de {where} em {day} (há a partir de {days}): diga "
        "a cobrança em overrides.lighting",
        "the table does not have the public lighting of {where} on {day} (there is some from "
        "{days}): say the charge in overrides.lighting",
    ),
    (
        "iluminação pública de {municipality}",
        "public lighting of {municipality}",
    ),
    (
        "{text} não é um número como 1.234,56",
        "{text} is no number such as 1.234,56",
    ),
    (
        "{text} não é uma data como 31/12/2026",
        "{text} is no date such as 31/12/2026",
    ),
    (
        "só B1, B2 e B3 podem escolher a tarifa branca",
        "only B1, B2 and B3 may choose the tarifa branca",
    ),
    (
        "a subclasse baixa renda não pode escolher a tarifa branca",
        "the subclass baixa renda may not choose the tarifa branca",
    ),
    (
        "não há consumo na janela: sem ele as tarifas custam o mesmo",
        "there is no consumption in the window: without any the tariffs cost the same",
    ),
    (
        "a demanda é faturada por mês: group é P1M",
        "demand is billed by month: group is P1M",
    ),
    (
        "as tarifas não têm parâmetros: diga o contrato em customer.contracted",
        "the tariffs have no parameters: say the contract in customer.contracted",
    ),
    (
        "só o grupo A contrata demanda: o subgrupo é A1 a A4 ou AS",
        "only group A contracts demand: the subgroup is A1 to A4 or AS",
    ),
    (
        "a janela é de meses inteiros: começa e termina no primeiro dia de um mês",
        "the window is of whole months: it begins and ends on the first day of a month",
    ),
    (
        "contratos são de kW inteiros",
        "contracts are of whole kW",
    ),
    (
        "uma conta por mês do calendário, e o mesmo contrato em todos os meses",
        "one bill for each calendar month, and the same contract in all months",
    ),
    (
        "{months} meses: só doze meses mostram um ano",
        "{months} months: only twelve months show a year",
    ),
    (
        "a modalidade {modality} não foi comparada",
        "the modality {modality} was not compared",
    ),
    (
        "diga o tipo da geração em customer.generation: gd1, gd2 ou gd3",
        "say the type of the generation in customer.generation: gd1, gd2 or gd3",
    ),
    (
        "só o grupo B: no grupo A o crédito vale por posto",
        "only group B: in group A credits count by posto",
    ),
    (
        "o valor é o do mês perguntado: tarifas, impostos e a parte do Fio B mudam",
        "the value is that of the month that is asked for: tariffs, taxes and the part of Fio B "
        "change",
    ),
    (
        "diga a ponta e a fora ponta: as modalidades se comparam por elas",
        "say the ponta and the fora ponta: modalities are compared by them",
    ),
    (
        "depois de {before} vem {next}, e não {after}",
        "after {before} comes {next}, and not {after}",
    ),
    (
        "diga a conta em `text`, ou em `pdf` (base64)",
        "give the bill as `text`, or as `pdf` (base64)",
    ),
    (
        "o PDF não está em base64",
        "the PDF is not in base64",
    ),
    (
        "a conta não diz as datas de leitura: diga-as em `start` e `end`",
        "the bill does not say the days of its reads: say them in `start` and `end`",
    ),
    (
        "do grupo A diga o medidor: a demanda não se vê nas linhas da conta",
        "of group A name the meter: lines of a bill do not show demand",
    ),
    (
        "a conta tem energia de {posto}, e a tarifa não tem esse posto",
        "the bill has energy of {posto}, and the tariff has no such posto",
    ),
    (
        "{price} R$/kWh parece ser R$/MWh: em R$/kWh seria {right}",
        "{price} R$/kWh seems to be R$/MWh: in R$/kWh it would be {right}",
    ),
    (
        "{price} R$/kW: nenhuma demanda custa tanto",
        "{price} R$/kW: no demand costs as much",
    ),
    (
        "a alíquota é uma parte de um: {percent} % é {part}",
        "the rate is a part of one: {percent}% is {part}",
    ),
    (
        "intermediário de {distributor}: uma hora antes e uma depois da ponta",
        "intermediário of {distributor}: one hour before and one after the ponta",
    ),
    (
        "a tabela não tem os postos de {distributor} em {day}: diga-os em overrides.postos, ou "
        "ponha-os em distributors.json (data)",
        "the table does not have the postos of {distributor} on {day}: say them in "
        "overrides.postos, or put them into distributors.json (data)",
    ),
    (
        "postos de {distributor}",
        "postos of {distributor}",
    ),
    (
        "feriados nacionais",
        "national holidays",
    ),
    (
        "as tabelas não servem: {message}",
        "the tables do not fit: {message}",
    ),
    (
        "não há distribuidora {name}: veja /v1/brazil/distributors, ou ponha-a em "
        "distributors.json (data)",
        "there is no distributor {name}: see /v1/brazil/distributors, or put it into "
        "distributors.json (data)",
    ),
    (
        "não há distribuidora {name} (será {near}?): veja /v1/brazil/distributors, ou ponha-a em "
        "distributors.json (data)",
        "there is no distributor {name} (is it {near}?): see /v1/brazil/distributors, or put it "
        "into distributors.json (data)",
    ),
    (
        "a tabela não tem o ICMS de {class} em {day}: diga-o em overrides.icms",
        "the table does not have the ICMS of {class} on {day}: say it in overrides.icms",
    ),
    (
        "ICMS de {class}",
        "ICMS of {class}",
    ),
    (
        "a tabela não tem PIS e COFINS de {distributor}: diga-os em overrides.pis e "
        "overrides.cofins, ou por mês em overrides.pis_cofins",
        "the table does not have PIS and COFINS of {distributor}: say them in overrides.pis and "
        "overrides.cofins, or by month in overrides.pis_cofins",
    ),
    (
        "PIS e COFINS de {distributor} em {month}",
        "PIS and COFINS of {distributor} in {month}",
    ),
    (
        "PIS e COFINS de um mês que a tabela não tem são os do mês anterior que ela tem, ou do "
        "primeiro",
        "PIS and COFINS of a month that the table does not have are those of the month before "
        "that it has, or of the first",
    ),
    (
        "nenhuma conta com geração da distribuidora ou do estado: a energia injetada devolve o "
        "ICMS que a tabela do ICMS diz (exempt), em geral o da TE e não o da TUSD, e PIS e COFINS",
        "no bill with generation of the distributor or of the state: injected energy gives back "
        "the ICMS that the table of ICMS says (exempt), in general that of the TE and not that of "
        "the TUSD, and PIS and COFINS",
    ),
    (
        "perguntas e respostas da ANEEL sobre a geração distribuída, como citadas em "
        "blogecosolarer.blogspot.com",
        "questions and answers of ANEEL about distributed generation, as quoted in "
        "blogecosolarer.blogspot.com",
    ),
    (
        "ANEEL, acionamento mensal; {rule}",
        "ANEEL, set each month; {rule}",
    ),
    (
        "não se viu conta do grupo A com geração",
        "no bill of group A with generation was seen",
    ),
    (
        "REN ANEEL 1.000/2021, art. 655-G, como a REN 1.059/2023 a deixou",
        "REN ANEEL 1.000/2021, art. 655-G, as REN 1.059/2023 left it",
    ),
    (
        "REN ANEEL 1.031/2022; o texto não foi lido",
        "REN ANEEL 1.031/2022; its text was not read",
    ),
    (
        "o pedido diz que não",
        "the request says so",
    ),
    (
        "registradores não a dizem: leituras por hora sim",
        "registers do not tell it: readings by hour do",
    ),
    (
        "o pedido diz inductive",
        "the request says inductive",
    ),
    (
        "não se viu conta que o mostre",
        "no bill that shows it was seen",
    ),
    (
        "leituras de outros dias dão outras demandas",
        "readings of other days give other demands",
    ),
    (
        "o pedido",
        "the request",
    ),
    (
        "a tabela não a tem, ou o pedido diz as tarifas de uma só",
        "the table does not have it, or the request says the tariffs of one only",
    ),
    (
        "mudam todo mês; a distribuidora publica-os",
        "they change every month; the distributor publishes them",
    ),
    (
        "{columns} colunas, e não {width}: o arquivo está inteiro?",
        "{columns} columns, and not {width}: is the file whole?",
    ),
    (
        "a tabela não tem a iluminação pública de {where}: diga a cobrança em overrides.lighting",
        "the table does not have the public lighting of {where}: say the charge in "
        "overrides.lighting",
    ),
    (
        "a tabela não tem tarifa {tariff} de {distributor} em {day} ({have}): {then}diga-a em "
        "{where}, ou atualize a tabela",
        "the table has no tariff {tariff} of {distributor} on {day} ({have}): {then}say it in "
        "{where}, or update the table",
    ),
    (
        "comece em {first}, ",
        "begin on {first}, ",
    ),
    (
        "a tabela não tem uma tarifa de antes do último reajuste até {day}: {then}acrescente-a "
        "aos arquivos de `data`",
        "the table has no tariff of before the last readjustment until {day}: {then}add it to the "
        "files of `data`",
    ),
    (
        "pergunte de {days} em diante, ou ",
        "ask from {days} on, or ",
    ),
    (
        "a tabela não tem {tariff} de {distributor}: {have}",
        "the table does not have {tariff} of {distributor}: {have}",
    ),
    (
        "{subgroup} é {known}",
        "{subgroup} is {known}",
    ),
    (
        "a diferença inclui a do reajuste de {day}, que também está no período",
        "the difference includes that of the readjustment of {day}, which is in the window, too",
    ),
    (
        "as tarifas de cada dia",
        "the tariffs of each day",
    ),
)
ENGLISH: Final = dict(_PAIRS)
