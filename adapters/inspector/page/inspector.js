// The page: the list of exchanges with its filters, the keys, and what is done with the one that is chosen.

import { Detail } from "./detail.js";
import { byId, count, duration, element } from "./dom.js";
import { Server } from "./server.js";
import { fieldOf } from "./marks.js";

const REFRESH = 400; // milliseconds between two looks at an exchange that is running
const STATES = { live: "live", paused: "paused", unreachable: "server unreachable", locked: "no access: open the printed link" };

const exchanges = new Map();
const rows = new Map();
let chosen = null;
let pending = null; // what came while the list is paused
let refreshing = false;
let again = false;

const list = byId("list");
const detail = new Detail(byId("detail"), { close: () => choose(null), toast, showField });
const server = new Server(changed, state);

function state(name) {
  const shown = name === "live" && pending ? "paused" : name;
  byId("state").textContent = STATES[shown];
  byId("state").dataset.state = shown;
}

// The list

function changed(some, oldest) {
  if (pending) {
    for (const exchange of some) pending.set(exchange.number, exchange);
    byId("pause").textContent = pending.size ? `Resume (${pending.size})` : "Resume";
    pending.oldest = oldest;
    return;
  }
  for (const number of exchanges.keys()) if (number < oldest) forget(number);
  for (const exchange of some) show(exchange);
  offerOutcomes();
  filter();
  if (some.some((exchange) => exchange.number === chosen)) refresh();
}

function forget(number) {
  exchanges.delete(number);
  rows.get(number)?.remove();
  rows.delete(number);
}

function show(exchange) {
  exchanges.set(exchange.number, exchange);
  let row = rows.get(exchange.number);
  if (!row) {
    row = element("li", { role: "option", id: `exchange-${exchange.number}` });
    row.addEventListener("click", () => choose(exchange.number, true));
    rows.set(exchange.number, row);
    const after = [...list.children].find((other) => Number(other.id.slice(9)) < exchange.number);
    list.insertBefore(row, after ?? null);
  }
  row.dataset.outcome = exchange.outcome;
  row.setAttribute("aria-selected", String(exchange.number === chosen));
  const tokens = exchange.tokens.every((one) => one === null) ? null : exchange.tokens.map((one) => one ?? "?").join(" + ");
  row.replaceChildren(
    element("span", { class: "dot", title: exchange.outcome }),
    element("span", { class: "name" }, exchange.model ?? "no model"),
    element("time", {}, new Date(exchange.began * 1000).toLocaleTimeString("en-GB")),
    element("span", { class: "path" }, exchange.path),
    element(
      "span",
      { class: "tags" },
      exchange.losses > 0 && element("span", { class: "tag loss" }, count(exchange.losses, "loss")),
      exchange.attempts > 1 && element("span", { class: "tag" }, `${exchange.attempts} attempts`),
      exchange.handled !== "translated" && !exchange.running && element("span", { class: "tag" }, exchange.handled),
      exchange.status >= 400 && element("span", { class: "tag error" }, String(exchange.status)),
      exchange.running ? "running" : duration(exchange.seconds),
      tokens && ` · ${tokens} tokens`,
    ),
  );
}

function offerOutcomes() {
  const select = byId("outcome");
  const known = new Set([...select.options].map((option) => option.value));
  for (const { outcome } of exchanges.values()) {
    if (!known.has(outcome)) {
      known.add(outcome);
      select.append(element("option", { value: outcome }, outcome));
    }
  }
}

function filter() {
  const wanted = byId("model").value.trim().toLowerCase();
  const outcome = byId("outcome").value;
  const lossy = byId("lossy").checked;
  let visible = 0;
  for (const [number, exchange] of exchanges) {
    const fits =
      (!wanted || `${exchange.model ?? ""} ${exchange.path}`.toLowerCase().includes(wanted)) &&
      (!outcome || exchange.outcome === outcome) &&
      (!lossy || exchange.losses > 0);
    rows.get(number).hidden = !fits;
    visible += fits;
  }
  byId("empty").hidden = visible > 0;
  byId("empty").textContent = exchanges.size
    ? `None of ${count(exchanges.size, "exchange")} fits the filters.`
    : "Waiting for the first request. Point a client at this server and it shows up here.";
}

// The one that is chosen

function choose(number, focus = false) {
  rows.get(chosen)?.setAttribute("aria-selected", "false");
  chosen = number;
  document.body.classList.toggle("has-detail", number !== null);
  list.setAttribute("aria-activedescendant", number === null ? "" : `exchange-${number}`);
  if (number === null) {
    list.focus();
    return;
  }
  const row = rows.get(number);
  row?.setAttribute("aria-selected", "true");
  row?.scrollIntoView({ block: "nearest" });
  if (focus && matchMedia("(max-width: 760px)").matches) byId("detail").focus();
  refresh();
}

async function refresh() {
  again = true;
  if (refreshing) return;
  refreshing = true;
  while (again && chosen !== null) {
    again = false;
    const number = chosen;
    const exchange = await server.exchange(number).catch(() => null);
    if (number === chosen) exchange ? detail.show(exchange, server.about, server.fields) : detail.gone();
    if (again && number === chosen) await new Promise((over) => setTimeout(over, REFRESH));
  }
  refreshing = false;
}

function step(by) {
  const visible = [...list.children].filter((row) => !row.hidden);
  const at = visible.findIndex((row) => row.id === `exchange-${chosen}`);
  const next = visible[at < 0 ? 0 : Math.min(visible.length - 1, Math.max(0, at + by))];
  if (next) choose(Number(next.id.slice(9)));
}

// What can be done

function pause() {
  const late = pending;
  pending = late ? null : new Map();
  byId("pause").setAttribute("aria-pressed", String(!late));
  byId("pause").textContent = late ? "Pause" : "Resume";
  if (late) changed([...late.values()], late.oldest ?? 0);
  state("live");
}

async function clear() {
  await server.clear();
  choose(null);
  detail.empty();
}

function showField(path) {
  const wanted = fieldOf(server.fields, path);
  const tables = server.fields.map(({ title, rows: [head, ...body] }) =>
    element(
      "section",
      {},
      element("h3", {}, title),
      element(
        "table",
        {},
        element("thead", {}, element("tr", {}, ...head.map((cell) => element("th", {}, plain(cell))))),
        element("tbody", {}, ...body.map((row) => element("tr", { class: row === wanted ? "wanted" : null }, ...row.map((cell) => element("td", {}, plain(cell)))))),
      ),
    ),
  );
  byId("tables").replaceChildren(...tables);
  byId("fields").showModal();
  const row = byId("tables").querySelector(".wanted");
  row ? row.scrollIntoView({ block: "center" }) : toast(`No row speaks of ${path}`);
}

function plain(cell) {
  return cell.replace(/\*\*|`/g, "");
}

function toast(text) {
  const shown = byId("toast");
  shown.textContent = text;
  shown.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (shown.hidden = true), 2500);
}

const KEYS = {
  j: () => step(1),
  ArrowDown: () => step(1),
  k: () => step(-1),
  ArrowUp: () => step(-1),
  1: () => detail.tab("request"),
  2: () => detail.tab("answer"),
  3: () => detail.tab("events"),
  l: () => detail.nextLoss(),
  "[": () => detail.attempt(-1),
  "]": () => detail.attempt(1),
  c: () => detail.copy("client"),
  u: () => detail.copy("upstream"),
  d: () => detail.download(),
  "/": () => byId("model").focus(),
  p: pause,
  x: clear,
  "?": () => byId("keys").showModal(),
  Escape: () => choose(null),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const inField = event.target.matches("input, select");
  if (event.key === "Escape" && inField) return event.target.blur();
  const isArrow = event.key.startsWith("Arrow");
  if (inField || (isArrow && event.target !== list && event.target !== document.body)) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
byId("pause").addEventListener("click", pause);
byId("clear").addEventListener("click", clear);
byId("help").addEventListener("click", KEYS["?"]);
byId("filters").addEventListener("input", filter);
byId("filters").addEventListener("submit", (event) => event.preventDefault());

state("live");
server
  .start()
  .then(() => {
    const { version, upstream, worker, workers } = server.about;
    const one = workers > 1 ? `worker ${worker} of ${workers}: only what this one served` : "";
    byId("about").textContent = [version, upstream, one].filter(Boolean).join(" · ");
    byId("about").classList.toggle("notice", workers > 1);
  })
  .catch(() => state("unreachable"));
