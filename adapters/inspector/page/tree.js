// A tree of JSON as elements that fold. What is folded is made when it is opened, so that large bodies cost little.

import { element } from "./dom.js";

const CLIPPED = 700; // characters of a text
const CHILDREN = 60; // of one container, until more are asked for
const OPEN_LINES = 400;

export class Tree {
  constructor(root) {
    this.root = root;
    this.nodes = new WeakMap(); // of elements
    this.marks = [];
    this.lines = 0;
    this.element = element("div", { class: "tree" }, this.node(root));
  }

  node(node) {
    this.lines += 1;
    const made = node.children ? this.container(node) : this.leaf(node);
    node.element = made;
    this.nodes.set(made, node);
    return made;
  }

  leaf(node) {
    const value = element("span", { class: `value ${node.kind}` });
    this.fill(value, node, node.kind === "string" && node.value.length > CLIPPED);
    return element("div", { class: "node leaf" }, element("div", { class: "line" }, label(node), value));
  }

  fill(value, node, clipped) {
    if (node.kind !== "string") value.textContent = node.value;
    else value.textContent = clipped ? `"${node.value.slice(0, CLIPPED)}` : `"${node.value}${node.cut ? "" : '"'}`;
    if (node.cut) value.append(element("span", { class: "rest" }, " … not kept"));
    if (clipped) {
      const more = element("button", { type: "button", class: "more" }, `… ${(node.value.length - CLIPPED).toLocaleString("en")} more`);
      more.addEventListener("click", () => this.fill(value, node, false));
      value.append(more);
    }
  }

  container(node) {
    const [begin, end] = node.kind === "object" ? "{}" : "[]";
    const made = element("div", { class: "node" });
    if (!node.children.length) {
      made.append(element("div", { class: "line" }, label(node), `${begin}${node.whole ? end : ""}`));
      return made;
    }
    const toggle = element("button", { type: "button", class: "fold", "aria-expanded": "false", "aria-label": `${node.path || "all"}` });
    const hint = element("span", { class: "hint" }, summary(node, end));
    const line = element("div", { class: "line" }, toggle, label(node), begin, hint);
    made.append(line);
    line.addEventListener("click", (event) => {
      if (event.target === toggle || !event.target.closest("button")) this.set(node, !node.open);
    });
    node.set = (open) => {
      toggle.setAttribute("aria-expanded", String(open));
      made.classList.toggle("open", open);
      if (open && !node.body) {
        node.body = element("div", { class: "children" });
        node.shown = 0;
        made.append(node.body, element("div", { class: "line end" }, node.whole ? end : "… not kept"));
        this.showMore(node);
      }
    };
    node.element = made;
    if (node.path.split(/[.[]/).length < 8 && this.lines < OPEN_LINES) this.set(node, true);
    return made;
  }

  set(node, open) {
    node.open = open;
    node.set(open);
  }

  showMore(node, until = node.shown + CHILDREN) {
    node.more?.remove();
    for (const child of node.children.slice(node.shown, until)) node.body.append(this.node(child));
    node.shown = Math.min(until, node.children.length);
    const rest = node.children.length - node.shown;
    if (!rest) return;
    node.more = element("button", { type: "button", class: "more" }, `… ${rest.toLocaleString("en")} more`);
    node.more.addEventListener("click", () => this.showMore(node));
    node.body.append(node.more);
  }

  /** Open all that a node is in, and return its element. */
  reveal(node) {
    const above = [];
    for (let parent = node.parent; parent; parent = parent.parent) above.unshift(parent);
    above.push(node);
    for (let depth = 0; depth < above.length - 1; depth += 1) {
      const parent = above[depth];
      if (!parent.open) this.set(parent, true);
      const place = parent.children.indexOf(above[depth + 1]);
      if (place >= parent.shown) this.showMore(parent, place + 1);
    }
    return node.element;
  }

  /** The visible element of a node: its own, or that of what it is folded in. */
  visible(node) {
    let shown = node;
    for (let parent = node.parent; parent; parent = parent.parent) if (!parent.open) shown = parent;
    return shown.element ?? this.visible(node.parent);
  }

  /** The node below which an event happened. */
  at(target) {
    const found = target.closest?.(".node");
    return found ? this.nodes.get(found) : undefined;
  }

  mark(nodes) {
    this.unmark();
    for (const node of nodes) {
      const line = this.visible(node).querySelector(":scope > .line");
      line.classList.add("same");
      this.marks.push(line);
    }
  }

  unmark() {
    for (const line of this.marks) line.classList.remove("same");
    this.marks = [];
  }
}

function label(node) {
  if (node.place !== undefined) return element("span", { class: "index" }, `${node.place} `);
  return node.key === null ? null : element("span", { class: "key" }, node.key, element("span", { class: "colon" }, ": "));
}

function summary(node, end) {
  const words = node.kind === "object" ? node.children.slice(0, 4).map((child) => child.key).join(", ") : `${node.children.length}`;
  const named = node.children.find((child) => child.kind === "string" && ["type", "role", "name"].includes(child.key));
  const more = node.kind === "object" && node.children.length > 4 ? ", …" : "";
  return ` ${named ? `${named.value.slice(0, 40)} · ` : ""}${words}${more} ${end}`;
}
