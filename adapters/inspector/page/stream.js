// A stream: its events with their times, and what they add up to.

import { element } from "./dom.js";
import { parse, tree } from "./json.js";
import { Tree } from "./tree.js";

const PREVIEW = 160;

/** The events of one side as a list that grows. */
export class EventList {
  constructor() {
    this.events = [];
    this.rows = [];
    this.element = element("ol", { class: "events" });
  }

  /** Show events; those that are there already stay as they are. */
  show(events) {
    const last = this.events.length - 1;
    if (last >= 0 && events[last]?.[1] !== this.events[last][1]) {
      this.rows.pop()?.remove(); // it was cut
      this.events.pop();
    }
    for (const event of events.slice(this.events.length)) {
      this.events.push(event);
      this.rows.push(this.row(event, this.events.at(-2)));
      this.element.append(this.rows.at(-1));
    }
  }

  row([time, text], before) {
    const data = dataOf(text);
    const kind = kindOf(text, data);
    const body = element("div", { class: "event-body" });
    const opened = element(
      "details",
      { class: "event" },
      element(
        "summary",
        {},
        element("time", {}, `${time.toFixed(time < 100 ? 1 : 0)} ms`),
        element("span", { class: "gap" }, before ? `+${Math.max(0, time - before[0]).toFixed(0)}` : ""),
        element("span", { class: "kind" }, kind.name),
        element("span", { class: "preview" }, kind.preview),
      ),
      body,
    );
    opened.addEventListener("toggle", () => {
      if (!opened.open || body.firstChild) return;
      const root = parse(data);
      body.append(root ? new Tree(root).element : element("pre", {}, text));
    });
    return element("li", {}, opened);
  }

  /** The number of the event below which something happened, or -1. */
  at(target) {
    return this.rows.indexOf(target.closest?.("li"));
  }

  /** Mark the events that came between two times. */
  mark(from, until) {
    this.events.forEach(([time], index) => this.rows[index].classList.toggle("same", time >= from && time < until));
  }

  unmark() {
    for (const row of this.rows) row.classList.remove("same");
  }
}

function dataOf(text) {
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trimStart())
    .join("\n");
}

function value(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

function kindOf(text, data) {
  const event = value(data);
  if (!event || typeof event !== "object") return { name: data || text.startsWith(":") ? "" : "?", preview: (data || text).slice(0, PREVIEW) };
  if (typeof event.type === "string") return { name: event.type, preview: previewOf(event) };
  const choice = event.choices?.[0] ?? {};
  const delta = choice.delta ?? {};
  const told = Object.entries(delta).find(([, told]) => told !== null && told !== "") ?? [];
  const name = choice.finish_reason ? `finish: ${choice.finish_reason}` : event.error ? "error" : event.usage && !event.choices?.length ? "usage" : (told[0] ?? "chunk");
  return { name, preview: shown(choice.finish_reason ? "" : (told[1] ?? event.error ?? event.usage ?? "")) };
}

function previewOf(event) {
  return shown(event.delta ?? event.text ?? event.arguments ?? event.item?.type ?? event.part?.type ?? event.response?.status ?? event.message ?? "");
}

function shown(told) {
  const text = typeof told === "string" ? told : JSON.stringify(told);
  return text.slice(0, PREVIEW);
}

/** What the kept events of a stream add up to, as a tree; null if that is nothing. */
export function total(events) {
  const values = events.map(([, text]) => value(dataOf(text))).filter((event) => event && typeof event === "object");
  const final = values.findLast((event) => /^response\.(completed|incomplete|failed)$/.test(event.type));
  if (final?.response) return tree(final.response);
  const made = values.some((event) => event.type) ? responsesSoFar(values) : completionSoFar(values);
  return made && tree(made);
}

function responsesSoFar(values) {
  const output = [];
  for (const event of values) {
    const place = event.output_index;
    if (!isPlace(place)) continue;
    if (/^response\.output_item\.(added|done)$/.test(event.type)) output[place] = { ...event.item, so_far: output[place]?.so_far };
    else if (/\.delta$/.test(event.type) && output[place] && typeof event.delta === "string")
      output[place].so_far = (output[place].so_far ?? "") + event.delta;
  }
  return output.length ? { output: output.filter(Boolean) } : null;
}

function completionSoFar(values) {
  const choices = [];
  let usage;
  for (const chunk of values) {
    usage = chunk.usage ?? usage;
    for (const { index = 0, delta = {}, finish_reason } of Array.isArray(chunk.choices) ? chunk.choices : []) {
      if (!isPlace(index)) continue;
      const choice = (choices[index] ??= { message: Object.create(null), finish_reason: null });
      add(choice.message, delta ?? {});
      choice.finish_reason = finish_reason ?? choice.finish_reason;
    }
  }
  return choices.length ? { choices: choices.filter(Boolean), usage } : null;
}

// The names come from strangers, so these objects have no prototype that `__proto__` could reach.
function add(message, delta) {
  for (const [name, told] of Object.entries(delta)) {
    if (Array.isArray(told)) addParts((message[name] ??= []), told);
    else if (told && typeof told === "object") add((message[name] ??= Object.create(null)), told);
    else if (typeof told === "string" && !["role", "id", "type"].includes(name)) message[name] = (message[name] ?? "") + told;
    else if (told !== null) message[name] ??= told;
  }
}

function addParts(parts, told) {
  told.forEach((part, order) => {
    const place = part?.index ?? order;
    if (part && typeof part === "object" && Array.isArray(parts) && isPlace(place)) add((parts[place] ??= Object.create(null)), part);
  });
}

function isPlace(place) {
  return Number.isInteger(place) && place >= 0 && place < 256;
}
