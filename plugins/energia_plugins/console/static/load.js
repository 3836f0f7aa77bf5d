// @ts-check
// The load curve, to be zoomed: from years to quarter-hours. The server's picture stands until this
// one is drawn, and stays where a pointer is too coarse to choose part of it.

/**
 * @typedef {{key: string, letter: string}} Period
 * @typedef {{
 *   usage: string, start: number, end: number, until: number, zone: string, interval: number,
 *   limits: number[], unit: string, places: number, periods: Record<string, Period>,
 *   split: Record<string, string>, words: Record<string, string>
 * }} Plot
 * @typedef {{start: number, end: number, peak: number | null, mean: number | null,
 *   peakAt: number, missing: number, estimated: number, period: string | null}} Step
 */

const HOUR = 3600;
const DAY = 24 * HOUR;
const SHADED = 45 * DAY;
const SHORTEST = 4 * HOUR;
const LONGEST = 4 * 366 * DAY;
const HEIGHT = 310;
const GRAINS = [900, 1800, HOUR, 3 * HOUR, 6 * HOUR];

/** @type {any} */
const uPlot = /** @type {any} */ (window).uPlot;
const language = document.documentElement.lang;

/** How long steps last that are wider than a pixel, in seconds; a day, from a day on.
 * @param {number} length @param {number} interval @param {number} width */
function grainOf(length, interval, width) {
  const fits = [interval, ...GRAINS].filter((grain) => grain >= interval);
  return fits.find((grain) => length / grain <= width) ?? DAY;
}

/** A length as the API takes it. @param {number} seconds */
function lengthOf(seconds) {
  if (seconds === DAY) return "P1D";
  return seconds % 60 ? `PT${seconds}S` : `PT${seconds / 60}M`;
}

/** A step as `usage` has it. @param {any} window @returns {Step} */
function stepOf(window) {
  const start = Date.parse(window.start) / 1000;
  const end = Date.parse(window.end) / 1000;
  const { expected, missing, estimated } = window.coverage;
  const there = ((end - start) * (expected - missing)) / Math.max(1, expected);
  const periods = Object.keys(window.periods ?? {});
  return {
    start,
    end,
    peak: window.peak ? Number(window.peak.value) : null,
    mean: window.peak && there ? (Number(window.value) * HOUR) / there : null,
    peakAt: window.peak ? Date.parse(window.peak.start) / 1000 : start,
    missing,
    estimated,
    period: periods[0] ?? null,
  };
}

/** A colour of the style sheet. @param {string} name */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Steps as a line that is broken where a value is missing. @param {any} u @param {number} series */
function stairs(u, series) {
  const [xs, ys] = [u.data[0], u.data[series]];
  const path = new Path2D();
  let open = false;
  for (let i = 0; i < xs.length - 1; i++) {
    if (ys[i] === null) {
      open = false;
      continue;
    }
    const [left, right] = [u.valToPos(xs[i], "x", true), u.valToPos(xs[i + 1], "x", true)];
    const y = u.valToPos(ys[i], "y", true);
    if (open) path.lineTo(left, y);
    else path.moveTo(left, y);
    path.lineTo(right, y);
    open = true;
  }
  return path;
}

/** The area below steps. @param {any} u @param {number} series */
function ground(u, series) {
  const [xs, ys] = [u.data[0], u.data[series]];
  const path = new Path2D();
  const base = u.valToPos(0, "y", true);
  for (let i = 0; i < xs.length - 1; i++) {
    if (ys[i] === null) continue;
    const [left, right] = [u.valToPos(xs[i], "x", true), u.valToPos(xs[i + 1], "x", true)];
    const y = u.valToPos(ys[i], "y", true);
    path.rect(left, y, right - left + 0.5, base - y);
  }
  return path;
}

class Curve {
  /** @param {HTMLElement} figure @param {HTMLElement} drawn @param {Plot} plot */
  constructor(figure, drawn, plot) {
    this.figure = figure;
    this.drawn = drawn;
    this.plot = plot;
    /** @type {Step[]} */
    this.steps = [];
    this.start = plot.start;
    this.end = plot.end;
    this.grain = plot.interval;
    /** @type {any} */
    this.u = null;
    /** @type {AbortController | null} */
    this.asking = null;
    /** @type {[number, number][]} */
    this.before = [];
    this.number = new Intl.NumberFormat(language, {
      minimumFractionDigits: plot.places,
      maximumFractionDigits: plot.places,
    });
    this.axis = new Intl.NumberFormat(language);
  }

  /** Dates in the zone of the site. @param {number} at @param {Intl.DateTimeFormatOptions} form */
  date(at, form) {
    const zoned = { timeZone: this.plot.zone, hourCycle: /** @type {const} */ ("h23"), ...form };
    return new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, zoned).format(at * 1000);
  }

  /** @param {number} at */
  moment(at) {
    const day = this.date(at, { day: "numeric", month: "short" }).replace(" de ", " ");
    return `${day}, ${this.date(at, { hour: "2-digit", minute: "2-digit" })}`;
  }

  /** @param {number} at */
  instant(at) {
    return new Date(at * 1000).toISOString().replace(".000", "");
  }

  get width() {
    return this.figure.clientWidth;
  }

  /** Ask for what fits the pixels, and draw it. @param {number} start @param {number} end */
  async show(start, end) {
    performance.mark("load:asked");
    this.asking?.abort();
    this.asking = new AbortController();
    const grain = grainOf(end - start, this.plot.interval, this.width - 60);
    const split = this.plot.split.by && end - start <= SHADED ? this.plot.split : {};
    const until = Math.max(start + HOUR, Math.min(end, this.plot.until));
    const query = new URLSearchParams({
      start: this.instant(start),
      end: this.instant(until),
      window: lengthOf(grain),
      ...split,
    });
    const joint = this.plot.usage.includes("?") ? "&" : "?";
    try {
      const answer = await fetch(`${this.plot.usage}${joint}${query}`, {
        signal: this.asking.signal,
        headers: { Accept: "application/json" },
      });
      if (!answer.ok) return; // the picture that stands is as good
      const { data } = await answer.json();
      Object.assign(this, { start, end, grain, steps: data.map(stepOf) });
      this.draw();
      performance.measure("load:shown", "load:asked");
      this.figure.dataset.shown = `${start}/${end}`;
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") throw error;
    }
  }

  /** Look at another window, and let the URL and the words above say so.
   * @param {number} start @param {number} end */
  async look(start, end, back = false) {
    const length = Math.min(Math.max(end - start, SHORTEST), LONGEST);
    const middle = (start + end) / 2;
    const interval = this.plot.interval;
    const first = Math.round((middle - length / 2) / interval) * interval;
    if (!back) this.before.push([this.start, this.end]);
    this.u?.setScale("x", { min: first, max: first + length });
    await this.show(first, first + Math.round(length / interval) * interval);
    const url = new URL(location.href);
    url.searchParams.set("from", this.instant(this.start));
    url.searchParams.set("to", this.instant(this.end));
    history.replaceState(null, "", url);
    await this.tell(url);
  }

  /** Replace what the page says of the window by what it would say now. @param {URL} url */
  async tell(url) {
    const answer = await fetch(url, { signal: this.asking?.signal }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["load-answer", "load-bar", "load-legend", "load-numbers", "load-file"]) {
      const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
      if (old && fresh) old.replaceWith(fresh);
    }
  }

  /** @param {number} by */
  zoom(by) {
    if (by > 1 && this.before.length) {
      const [start, end] = /** @type {[number, number]} */ (this.before.pop());
      return this.look(start, end, true);
    }
    const [middle, half] = [(this.start + this.end) / 2, ((this.end - this.start) * by) / 2];
    return this.look(middle - half, middle + half);
  }

  get peak() {
    return this.steps.reduce(
      (best, step) => (step.peak !== null && step.peak > (best?.peak ?? -1) ? step : best),
      /** @type {Step | null} */ (null),
    );
  }

  draw() {
    const xs = [...this.steps.map((step) => step.start), this.steps.at(-1)?.end ?? this.end];
    const peaks = [...this.steps.map((step) => step.peak), null];
    const coarse = this.grain > this.plot.interval;
    const means = [...this.steps.map((step) => (coarse ? step.mean : null)), null];
    this.high = Math.max(...this.plot.limits, this.peak?.peak ?? 0) || 1;
    if (this.u) {
      this.u.setData([xs, means, peaks], false);
      this.u.batch(() => {
        this.u.setScale("x", { min: this.start, max: this.end });
        this.u.setScale("y", { min: 0, max: this.high * 1.12 });
      });
    } else {
      this.make([xs, means, peaks]);
    }
    this.describe();
  }

  /** @param {(number | null)[][]} data */
  make(data) {
    const place = document.createElement("div");
    place.className = "zoomed";
    place.setAttribute("role", "img");
    this.place = place;
    this.unit = document.createElement("p");
    this.unit.className = "unit";
    this.readout = document.createElement("output");
    this.readout.className = "readout";
    this.drawn.before(this.tools(), place);
    this.u = new uPlot(this.options(), data, place);
    this.drawn.hidden = true;
    new ResizeObserver(() => this.u.setSize({ width: this.width, height: HEIGHT })).observe(
      this.figure,
    );
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.u.redraw());
  }

  tools() {
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.append(/** @type {Node} */ (this.unit), /** @type {Node} */ (this.readout));
    for (const [text, name, by] of [
      ["+", this.plot.words.in, 1 / 2],
      ["\u2212", this.plot.words.out, 2],
    ]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = String(text);
      button.setAttribute("aria-label", String(name));
      button.addEventListener("click", () => void this.zoom(Number(by)));
      tools.append(button);
    }
    return tools;
  }

  /** Say what is drawn: above it, and to who cannot see it. */
  describe() {
    const { words, unit } = this.plot;
    const coarse = this.grain === DAY ? words.day : this.grain === HOUR ? words.hour : words.parts;
    const meaning = this.grain === this.plot.interval ? words.slots : coarse;
    const length = this.grain > HOUR ? `${this.grain / HOUR} h` : `${this.grain / 60} min`;
    if (this.unit) this.unit.textContent = `${unit}, ${meaning.replace("{length}", length)}`;
    const peak = this.peak;
    const said = peak?.peak ? `${this.power(peak.peak)}, ${this.moment(peak.peakAt)}` : words.none;
    this.place?.setAttribute("aria-label", `${words.title}: ${said}`);
  }

  /** @param {number} value */
  power(value) {
    return `${this.number.format(value)}\u00a0${this.plot.unit}`;
  }

  options() {
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const ink = () => colour("ink-2");
    const grid = { stroke: () => colour("line"), width: 1 };
    return {
      width: this.width,
      height: HEIGHT,
      padding: [34, 6, 0, 0],
      tzDate: (/** @type {number} */ at) => uPlot.tzDate(new Date(at * 1000), this.plot.zone),
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { show: false },
        bind: { dblclick: () => () => void this.zoom(2) },
      },
      scales: {
        x: { time: true, range: () => [this.start, this.end] },
        y: { range: () => [0, (this.high ?? 1) * 1.12] },
      },
      axes: [
        {
          stroke: ink, font, grid: { show: false }, size: 30, space: 60,
          ticks: { stroke: () => colour("rule"), width: 1, size: 5 },
          values: (/** @type {any} */ _, /** @type {number[]} */ at, /** @type {any} */ __,
            /** @type {any} */ ___, /** @type {number} */ step) => at.map((one) => this.tick(one, step)),
        },
        {
          stroke: ink, font, grid, size: 40, space: 50, ticks: { show: false },
          values: (/** @type {any} */ u, /** @type {number[]} */ at) =>
            at.map((one) => (this.isFree(u, one) ? this.axis.format(one) : "")),
        },
      ],
      series: [
        {},
        { paths: (/** @type {any} */ u, /** @type {number} */ i) => ({ stroke: null, fill: ground(u, i) }),
          fill: () => colour("line"), width: 0, points: { show: false } },
        { paths: (/** @type {any} */ u, /** @type {number} */ i) => ({ stroke: stairs(u, i), fill: null }),
          stroke: () => colour("ink"), width: 1.5, points: { show: false } },
      ],
      hooks: {
        drawClear: [(/** @type {any} */ u) => this.shade(u)],
        draw: [(/** @type {any} */ u) => this.mark(u)],
        setCursor: [(/** @type {any} */ u) => this.read(u)],
        setSelect: [(/** @type {any} */ u) => this.choose(u)],
      },
    };
  }

  /** Whether no contract is written where a value of the axis would be.
   * @param {any} u @param {number} value */
  isFree(u, value) {
    const at = u.valToPos(value, "y");
    return this.plot.limits.every((limit) => Math.abs(u.valToPos(limit, "y") - at) > 12);
  }

  /** The text of a tick; at the end of the window there is no room for one.
   * @param {number} at @param {number} step */
  tick(at, step) {
    if (at >= this.end) return "";
    if (step >= 28 * DAY) {
      const month = this.date(at, { month: "short" }).replace(".", "");
      return this.date(at, { month: "numeric" }) === "1"
        ? `${month} ${this.date(at, { year: "numeric" })}`
        : month;
    }
    const day = this.date(at, { weekday: "short", day: "numeric" }).replace(/[.,]/g, "");
    if (step >= DAY) return day;
    const time = this.date(at, { hour: "2-digit", minute: "2-digit" });
    return time === "00:00" ? day : time;
  }

  /** The time under the pointer, and its power. @param {any} u */
  read(u) {
    const step = this.steps[u.cursor.idx ?? -1];
    const there = step && u.cursor.left >= 0;
    const said = !there ? "" : step.peak === null ? this.plot.words.none : this.power(step.peak);
    if (this.readout) {
      this.readout.textContent = there ? `${this.moment(step.start)}: ${said}` : "";
    }
  }

  /** @param {any} u */
  choose(u) {
    const { left, width } = u.select;
    if (width < 8) return;
    const [start, end] = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    void this.look(start, end);
  }

  /** Periods of the tariff, below everything else: all but the one that lasts longest.
   * @param {any} u */
  shade(u) {
    const strips = this.strips();
    const ratio = devicePixelRatio;
    const { ctx, bbox } = u;
    ctx.save();
    for (const { start, end, period } of strips) {
      const [left, right] = [u.valToPos(start, "x", true), u.valToPos(end, "x", true)];
      const wide = Math.max(right - left, ratio);
      ctx.fillStyle = colour(period.key);
      ctx.globalAlpha = 0.14;
      ctx.fillRect(left, bbox.top - 9 * ratio, wide, bbox.height + 9 * ratio);
      ctx.globalAlpha = 1;
      ctx.fillRect(left, bbox.top - 12 * ratio, wide, 3 * ratio);
      if (wide < 3 * ratio) continue;
      ctx.fillStyle = colour(`${period.key}-text`);
      ctx.font = `700 ${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
      ctx.textAlign = "center";
      ctx.fillText(period.letter, left + wide / 2, bbox.top - 16 * ratio);
    }
    ctx.restore();
  }

  strips() {
    /** @type {{start: number, end: number, name: string, period: Period}[]} */
    const found = [];
    /** @type {Record<string, number>} */
    const lasts = {};
    for (const { start, end, period: name } of this.steps) {
      if (name === null || !(name in this.plot.periods)) continue;
      lasts[name] = (lasts[name] ?? 0) + end - start;
      const last = found.at(-1);
      if (last?.name === name && last.end === start) last.end = end;
      else found.push({ start, end, name, period: this.plot.periods[name] });
    }
    const longest = Math.max(...Object.values(lasts));
    const base = Object.keys(lasts).find((name) => lasts[name] === longest);
    return found.filter((strip) => strip.name !== base);
  }

  /** What is missing and estimated, what is contracted, and the highest point. @param {any} u */
  mark(u) {
    const { ctx } = u;
    ctx.save();
    this.flaws(u);
    this.contracts(u);
    this.highest(u);
    ctx.restore();
  }

  /** @param {any} u */
  flaws(u) {
    const ratio = devicePixelRatio;
    const { ctx, bbox } = u;
    const base = bbox.top + bbox.height;
    for (const { start, end, missing, estimated, peak } of this.joined()) {
      const [left, right] = [u.valToPos(start, "x", true), u.valToPos(end, "x", true)];
      if (missing) {
        ctx.strokeStyle = colour("ink-2");
        ctx.lineWidth = ratio;
        ctx.setLineDash([2 * ratio, 2 * ratio]);
        ctx.strokeRect(left, bbox.top + 20 * ratio, Math.max(right - left, 3 * ratio),
          base - bbox.top - 20 * ratio);
        ctx.setLineDash([]);
      } else if (estimated && peak !== null) {
        hatch(ctx, left, u.valToPos(peak, "y", true), right, base, ratio);
      }
    }
  }

  /** Steps that are marked; those without a reading that follow each other as one. */
  joined() {
    /** @type {Step[]} */
    const found = [];
    for (const step of this.steps) {
      const last = found.at(-1);
      if (!step.missing && !step.estimated) continue;
      if (last?.end === step.start && last.peak === null && step.peak === null) {
        found[found.length - 1] = { ...last, end: step.end };
      } else {
        found.push(step);
      }
    }
    return found;
  }

  /** @param {any} u */
  contracts(u) {
    const ratio = devicePixelRatio;
    const { ctx, bbox } = u;
    for (const limit of this.plot.limits) {
      const y = u.valToPos(limit, "y", true);
      ctx.strokeStyle = ctx.fillStyle = colour("ink");
      ctx.lineWidth = 1.25 * ratio;
      ctx.setLineDash([4 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.font = `600 ${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
      ctx.textAlign = "right";
      halo(ctx, this.axis.format(limit), bbox.left - 6 * ratio, y + 4 * ratio, ratio);
    }
  }

  /** @param {any} u */
  highest(u) {
    const peak = this.peak;
    if (!peak || peak.peak === null) return;
    const ratio = devicePixelRatio;
    const { ctx, bbox } = u;
    const x = u.valToPos(peak.peakAt + this.plot.interval / 2, "x", true);
    const y = u.valToPos(peak.peak, "y", true);
    ctx.beginPath();
    ctx.arc(x, y, 4 * ratio, 0, 2 * Math.PI);
    ctx.fillStyle = colour("paper");
    ctx.strokeStyle = colour("ink");
    ctx.lineWidth = 1.5 * ratio;
    ctx.fill();
    ctx.stroke();
    const right = x < bbox.left + bbox.width - 170 * ratio;
    ctx.textAlign = right ? "left" : "right";
    ctx.fillStyle = colour("ink");
    ctx.font = `600 ${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    const text = `${this.power(peak.peak)}, ${this.moment(peak.peakAt)}`;
    halo(ctx, text, x + (right ? 9 : -9) * ratio, y - 3 * ratio, ratio);
  }
}

/** A text that stands on paper, whatever is below it.
 * @param {any} ctx @param {string} text @param {number} x @param {number} y @param {number} ratio */
function halo(ctx, text, x, y, ratio) {
  ctx.strokeStyle = colour("paper");
  ctx.lineWidth = 4 * ratio;
  ctx.lineJoin = "round";
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

/** Lines across a box. @param {any} ctx @param {number} left @param {number} top
 * @param {number} right @param {number} base @param {number} ratio */
function hatch(ctx, left, top, right, base, ratio) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, Math.max(right - left, ratio), base - top);
  ctx.clip();
  ctx.strokeStyle = colour("ink-3");
  ctx.lineWidth = ratio;
  const apart = 5 * ratio;
  for (let at = Math.floor((left - (base - top)) / apart) * apart; at < right; at += apart) {
    ctx.beginPath();
    ctx.moveTo(at, base);
    ctx.lineTo(at + (base - top), top);
    ctx.stroke();
  }
  ctx.restore();
}

const figure = document.getElementById("load");
const drawn = figure?.querySelector(".drawn");
if (figure && drawn && uPlot && !matchMedia("(pointer: coarse)").matches) {
  /** @type {Plot} */
  const plot = JSON.parse(figure.dataset.plot ?? "");
  const curve = new Curve(figure, /** @type {HTMLElement} */ (drawn), plot);
  void curve.show(plot.start, plot.end);
}
