// One exchange: the client's wire on the left, the upstream's on the right.

import { curl, download } from "./curl.js";
import { count, duration, element, size } from "./dom.js";
import { find, parse } from "./json.js";
import { Counterparts, otherNames } from "./marks.js";
import { EventList, total } from "./stream.js";
import { Tree } from "./tree.js";

const TABS = ["request", "answer", "events"];

export class Detail {
  constructor(place, { close, toast, showField }) {
    this.place = place;
    this.close = close;
    this.toast = toast;
    this.showField = showField;
    this.wantedTab = "request";
    this.exchange = null;
  }

  empty() {
    this.exchange = null;
    this.place.replaceChildren(element("p", { class: "empty" }, "Choose an exchange."));
  }

  gone() {
    this.toast("This exchange is not kept any more");
  }

  show(exchange, about, tables) {
    const isNew = this.exchange?.number !== exchange.number;
    this.exchange = exchange;
    this.about = about;
    this.names ??= otherNames(tables);
    if (isNew) {
      this.number = 0;
      this.loss = -1;
      this.build();
    }
    this.number = Math.min(this.number, Math.max(0, exchange.upstream.length - 1));
    this.head.replaceChildren(...this.heading());
    const losses = JSON.stringify(exchange.losses);
    if (isNew || losses !== this.shownLosses) {
      this.shownLosses = losses;
      this.fillLosses();
    }
    this.fill(isNew);
  }

  build() {
    this.head = element("div", { class: "head" });
    this.losses = element("ul", { class: "losses" });
    this.lossBox = element("details", { class: "loss-box", open: true }, element("summary"), this.losses);
    this.tabs = element("div", { class: "tabs", role: "tablist" });
    this.client = element("section", { class: "wire client", "aria-label": "Client" });
    this.upstream = element("section", { class: "wire upstream", "aria-label": "Upstream" });
    this.wires = element("div", { class: "wires" }, this.client, this.upstream);
    for (const kind of ["pointerover", "focusin"]) this.wires.addEventListener(kind, (event) => this.point(event.target));
    this.wires.addEventListener("click", (event) => this.bring(event.target));
    for (const kind of ["pointerleave", "focusout"]) this.wires.addEventListener(kind, () => this.unpoint());
    this.place.replaceChildren(this.head, this.lossBox, this.tabs, this.wires);
    this.place.scrollTop = 0;
  }

  heading() {
    const { exchange } = this;
    const facts = [
      exchange.running ? "running" : duration(exchange.seconds),
      exchange.first === null ? null : `first byte after ${duration(exchange.first)}`,
      exchange.tokens.every((one) => one === null) ? null : `${exchange.tokens.map((one) => one ?? "?").join(" + ")} tokens`,
      `${size(exchange.sizes[0])} in, ${size(exchange.sizes[1])} out`,
    ];
    const button = (words, title, act) => element("button", { type: "button", title, onclick: act }, words);
    return [
      element("button", { type: "button", class: "back", onclick: this.close, "aria-label": "Back to the list" }, "‹ List"),
      element(
        "h2",
        {},
        element("span", { class: "outcome", "data-outcome": exchange.outcome }, exchange.outcome),
        element("span", { class: "title" }, exchange.model ?? "no model"),
      ),
      element("p", { class: "facts" }, [...facts, exchange.error].filter(Boolean).join(" · ")),
      element(
        "div",
        { class: "actions" },
        button("Copy as curl", "The client's request, without the key (c)", () => this.copy("client")),
        button("Upstream as curl", "The upstream's request, without the key (u)", () => this.copy("upstream")),
        button("Download", "All that is kept of this exchange, as JSON (d)", () => this.download()),
      ),
    ];
  }

  // Losses

  fillLosses() {
    const { losses, more_losses, handled } = this.exchange;
    this.lossBox.hidden = handled !== "translated" && !losses.length;
    this.lossBox.classList.toggle("none", !losses.length);
    const number = losses.length + more_losses;
    const waiting = this.exchange.running ? "Losses are known when the exchange is over" : "Nothing was lost";
    this.lossBox.firstChild.textContent = number ? count(number, "loss") : waiting;
    this.losses.replaceChildren(
      ...losses.map((loss, index) =>
        element(
          "li",
          {},
          element("span", { class: `loss-kind ${loss.kind}` }, loss.kind),
          element("button", { type: "button", class: "loss-path", onclick: () => this.goTo(index) }, loss.path || "(answer)"),
          element("span", { class: "why" }, loss.why),
          loss.path && element("button", { type: "button", class: "field-link", title: "What becomes of this field (FIELDS.md)", onclick: () => this.showField(loss.path) }, "FIELDS"),
        ),
      ),
      ...(more_losses ? [element("li", { class: "why" }, `${more_losses.toLocaleString("en")} more are not listed`)] : []),
    );
  }

  nextLoss() {
    const number = this.exchange?.losses.length ?? 0;
    if (number) this.goTo((this.loss + 1) % number);
  }

  /** Show where a loss happened, on the left. */
  goTo(index) {
    this.loss = index;
    const { path } = this.exchange.losses[index];
    const place = this.placeOf(path);
    if (!place) {
      this.toast(`${path} is not in what is kept`);
      return;
    }
    delete this.wires.dataset.shown;
    this.tab(place.tab);
    const row = this.left.reveal(find(this.left.root, path).node);
    row.scrollIntoView({ block: "center" });
    row.querySelector(":scope > .line").classList.add("flash");
    setTimeout(() => row.querySelector(":scope > .line").classList.remove("flash"), 1200);
  }

  placeOf(path) {
    for (const tab of ["request", "answer"]) {
      const root = this.rootOf(this.exchange.client, tab);
      if (root && path && find(root, path).node !== root) return { tab };
    }
    return null;
  }

  markLosses() {
    for (const loss of this.exchange.losses) {
      if (!this.left || this.placeOf(loss.path)?.tab !== this.chosenTab) continue;
      const { node, missing } = find(this.left.root, loss.path);
      const line = this.left.reveal(node).querySelector(":scope > .line");
      line.classList.add("lost", loss.kind);
      line.append(element("span", { class: `lost-note ${loss.kind}`, title: loss.why }, missing ? `${missing}: ${loss.kind}` : loss.kind));
    }
  }

  // The two wires

  tab(name) {
    this.wantedTab = name;
    if (this.exchange) this.fill(true);
  }

  attempt(by) {
    const most = (this.exchange?.upstream.length ?? 0) - 1;
    const number = Math.min(most, Math.max(0, this.number + by));
    if (most < 1 || number === this.number) return;
    this.number = number;
    this.fill(true);
  }

  /** The tab that is shown: what is no stream, or none yet, has no events. */
  get chosenTab() {
    return this.wantedTab === "events" && !this.streams() ? "answer" : this.wantedTab;
  }

  streams() {
    return [this.exchange.client, ...this.exchange.upstream].some((side) => side.answer.events);
  }

  fill(isNew) {
    const { client, upstream } = this.exchange;
    this.tabs.replaceChildren(
      element("div", { class: "which" }, ...["client", "upstream"].map((name) => this.switch(name))),
      ...TABS.filter((name) => name !== "events" || this.streams()).map((name) =>
        element("button", { type: "button", role: "tab", "aria-selected": String(name === this.chosenTab), onclick: () => this.tab(name) }, name[0].toUpperCase() + name.slice(1)),
      ),
    );
    const side = upstream[this.number];
    const shown = JSON.stringify([this.chosenTab, this.number, this.state(client), side && this.state(side), upstream.length, this.exchange.losses.length]);
    if (!isNew && shown === this.shown) return;
    this.shown = shown;
    if (this.chosenTab === "events") this.fillEvents(client, side, isNew);
    else this.fillBodies(client, side);
    if (isNew) for (const wire of [this.client, this.upstream]) wire.scrollTop = 0;
  }

  /** In a narrow window, one wire is shown at a time. */
  switch(name) {
    const isShown = name === (this.wires.dataset.shown ?? "client");
    const show = () => {
      this.wires.dataset.shown = name;
      this.fill(false);
    };
    return element("button", { type: "button", "aria-pressed": String(isShown), onclick: show }, name[0].toUpperCase() + name.slice(1));
  }

  /** What decides what a side looks like now. */
  state(side) {
    const message = this.chosenTab === "request" ? side.request : side.answer;
    return [message.size, message.kept, side.status, side.error, side.ended !== null];
  }

  fillBodies(client, side) {
    const name = this.chosenTab;
    const [left, right] = [this.rootOf(client, name), side && this.rootOf(side, name)];
    [this.left, this.right] = [left && new Tree(left), right && new Tree(right)];
    this.counterparts = new Counterparts(left, right, this.names);
    this.lists = null;
    this.client.replaceChildren(this.titleOf("Client", client, this.exchange.method), ...this.body(client, this.left));
    this.upstream.replaceChildren(
      ...(side ? [this.titleOf("Upstream", side, "POST", this.attempts()), ...this.body(side, this.right)] : this.noUpstream()),
    );
    this.markLosses();
  }

  rootOf(side, name) {
    const message = side[name];
    if (message.events) return total(message.events);
    return message.text === null ? null : parse(message.text);
  }

  body(side, tree) {
    const message = side[this.chosenTab];
    const rest = message.size - message.kept;
    return [
      this.headers(message),
      side.error && this.chosenTab === "answer" && element("p", { class: "note error" }, side.error),
      message.note && element("p", { class: "note" }, message.note),
      message.events && element("p", { class: "note" }, "Put together from the events"),
      tree ? tree.element : element("pre", { class: "text" }, message.text || (message.size ? "" : side.ended === null ? "waiting …" : "empty")),
      rest > 0 && element("p", { class: "note" }, `${size(rest)} more were not kept`),
    ].filter(Boolean);
  }

  fillEvents(client, side, isNew) {
    [this.left, this.right] = [null, null];
    if (isNew || !this.lists) this.lists = [new EventList(), new EventList()];
    const shown = [client, side].map((one, index) => {
      const message = one?.answer;
      this.lists[index].show(message?.events ?? []);
      const rest = message ? message.size - message.kept : 0;
      return [
        message && this.headers(message),
        this.lists[index].element,
        rest > 0 && element("p", { class: "note" }, `${size(rest)} more were not kept`),
      ].filter(Boolean);
    });
    this.client.replaceChildren(this.titleOf("Client", client, this.exchange.method), ...shown[0]);
    this.upstream.replaceChildren(...(side ? [this.titleOf("Upstream", side, "POST", this.attempts()), ...shown[1]] : this.noUpstream()));
  }

  titleOf(name, side, method, more = null) {
    const isError = side.status >= 400 || side.error;
    const status = side.status ? String(side.status) : side.ended === null ? "…" : "no answer";
    return element(
      "header",
      { class: "wire-head" },
      element("h3", {}, name),
      element("code", {}, `${method} ${side.path}`),
      element("span", { class: `status${isError ? " bad" : ""}` }, status),
      element("span", { class: "when" }, side.began > 0.05 ? `after ${Math.round(side.began)} ms` : ""),
      more,
    );
  }

  attempts() {
    const { upstream, more_attempts } = this.exchange;
    if (upstream.length < 2) return null;
    const select = element("select", { "aria-label": "Attempt", onchange: () => this.attempt(Number(select.value) - this.number) });
    upstream.forEach((side, index) =>
      select.append(element("option", { value: index, selected: index === this.number }, `attempt ${index + 1} of ${upstream.length + more_attempts} · ${side.status || "…"}`)),
    );
    return select;
  }

  noUpstream() {
    const why = {
      passed: "This request went through unchanged: the upstream got and sent the same.",
      here: "This request was answered here; the upstream was not asked.",
      translated: this.exchange.running ? "The upstream has not been asked yet." : "The upstream was not asked.",
    };
    return [element("header", { class: "wire-head" }, element("h3", {}, "Upstream")), element("p", { class: "note" }, why[this.exchange.handled] ?? "")];
  }

  headers(message) {
    const pairs = message.headers.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", { class: value === "(hidden)" ? "hidden" : null }, value)));
    return element("details", { class: "headers" }, element("summary", {}, count(message.headers.length, "header")), element("dl", {}, ...pairs));
  }

  // What is pointed at

  point(target) {
    if (this.lists) return this.pointAtEvent(target);
    this.unpoint();
    for (const [own, other] of [[this.left, this.right], [this.right, this.left]]) {
      const node = own?.element.contains(target) && own.at(target);
      if (!node || !other || node === own.root) continue;
      const found = this.counterparts.of(own.root, node);
      own.mark(found.size ? [node] : []);
      other.mark(found);
    }
  }

  /** Bring into sight what is marked on the other side. */
  bring(target) {
    if (target.closest("button, summary")) return;
    const other = this.client.contains(target) ? this.upstream : this.client;
    other.querySelector(".same")?.scrollIntoView({ block: "center" });
  }

  pointAtEvent(target) {
    this.unpoint();
    this.lists.forEach((list, index) => {
      const place = list.at(target);
      if (place < 0) return;
      const other = this.lists[1 - index];
      const times = list.events.map(([time]) => time);
      const time = times[place];
      const next = times.find((one) => one > time) ?? Infinity;
      const before = times.findLast((one) => one < time) ?? -1;
      list.mark(time, time + 0.001);
      // what the upstream sends comes first, what the client gets of it follows
      index === 1 ? other.mark(time, next) : other.mark(before + 0.001, time + 0.001);
    });
  }

  unpoint() {
    for (const one of [this.left, this.right]) one?.unmark();
    for (const list of this.lists ?? []) list.unmark();
  }

  // To take away

  async copy(name) {
    if (!this.exchange) return;
    const side = name === "client" ? this.exchange.client : this.exchange.upstream[this.number];
    if (!side) return this.toast("The upstream was not asked");
    const { text, whole } = curl(side, name, this.about);
    await navigator.clipboard.writeText(text).catch(() => window.prompt("Copy this:", text));
    this.toast(whole ? "Copied; put your key into $OPENAI_API_KEY" : "Copied, but the body was not kept whole");
  }

  download() {
    if (this.exchange) download(this.exchange);
  }
}
