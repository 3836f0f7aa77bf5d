// A tour with the types that openapi-typescript makes of the document, as they come: no casts.
//
//     node built/tour.js http://127.0.0.1:8080 TOKEN

import createClient from "openapi-fetch";

import type { components, paths } from "./energia.js";

const [baseUrl, token] = process.argv.slice(2);
const energia = createClient<paths>({
  baseUrl,
  headers: { Authorization: `Bearer ${token}` },
  // Options of a format are parameters of their own names.
  querySerializer: { object: { style: "form", explode: true } },
});
const timezone = "America/Sao_Paulo";
const day = { start: "2026-03-02", end: "2026-03-03" };

function say(...what: unknown[]): void {
  console.log(JSON.stringify(what));
}

function made<T>({ data, error }: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (data === undefined) throw new Error(`${error?.code}: ${error?.detail}`);
  return data;
}

const site = { id: "casa", name: "Casa", timezone, country: "BR", currency: "BRL" };
made(await energia.POST("/v1/sites", { body: site }));
const channel: components["schemas"]["NewChannel"] = {
  id: "import",
  quantity: "active_energy",
  direction: "import",
  unit: "kWh",
  interval: "PT1H",
};
for (const id of ["a", "b", "c"]) {
  const body = { id, site: site.id, channels: [channel] };
  const meter = made(await energia.POST("/v1/meters", { body }));
  say(meter.id, meter.channels[0]?.kind, meter.channels[0]?.offset);
}

const hours = Array.from({ length: 24 }, (_, hour) => `${hour}`.padStart(2, "0"));
const rows = hours.map((hour) => `2026-03-02T${hour}:00:00-03:00,0.5\n`);
const outcome = made(
  await energia.POST("/v1/imports", {
    params: {
      query: {
        format: "csv",
        meter: "a",
        options: { start_column: "time", value_column: "used" },
      },
    },
    body: `time,used\n${rows.join("")}`,
    bodySerializer: (text) => text,
    headers: { "Content-Type": "text/csv" },
  }),
);
if (!("created" in outcome)) throw new Error("a small file is no job");
say("created", outcome.created, outcome.meters);

const body: components["schemas"]["NewTariff"] = {
  id: "flat",
  name: "Flat",
  currency: "BRL",
  timezone,
  versions: [
    {
      valid_from: "2026-01-01",
      charges: [{ kind: "energy.flat", description: "Energia", rate: "0.8" }],
    },
  ],
};
made(await energia.POST("/v1/tariffs", { body }));
const contract = { id: "casa", meter: "a", tariff: "flat", start: day.start };
made(await energia.POST("/v1/contracts", { body: contract }));
const cost = made(
  await energia.POST("/v1/costs", { body: { meter: "a", tariff: "flat", ...day } }),
);
say("cost", cost.total, cost.currency, cost.coverage.actual);
const bill = made(await energia.POST("/v1/bills", { body: { contract: contract.id, ...day } }));
say("bill", bill.total, bill.status, bill.lines[0]?.description);
const explanation = made(
  await energia.GET("/v1/bills/{bill}/explain", { params: { path: { bill: bill.id } } }),
);
say("explained", explanation.lines[0]?.arithmetic.expression);

for (let cursor: string | null = ""; cursor !== null; ) {
  const query: { limit: number; cursor: string } = { limit: 2, cursor };
  const page: components["schemas"]["MeterPage"] = made(
    await energia.GET("/v1/meters", { params: { query } }),
  );
  say("page", page.items.map((meter) => meter.id));
  cursor = page.next;
}

const missing = await energia.GET("/v1/sites/{site}", { params: { path: { site: "nowhere" } } });
say("problem", missing.error?.status, missing.error?.code);
const refused = await energia.POST("/v1/meters", { body: { site: "nowhere", channels: [] } });
say("faults", refused.error?.errors?.map((fault) => [fault.pointer, fault.code]));
