// Where a value went: the nodes of one tree that hold what a node of the other one holds.

import { leaves } from "./json.js";

const FEW = 20; // leaves that are also looked for inside of longer texts
const TELLING = 8; // characters of a text that means the same wherever it stands

/** Finds counterparts between two trees; *names* says which fields have another name on the other side. */
export class Counterparts {
  constructor(left, right, names) {
    this.names = names;
    this.index = new Map([
      [left, indexed(left)],
      [right, indexed(right)],
    ]);
    this.other = new Map([
      [left, right],
      [right, left],
    ]);
  }

  /** The leaves of the other tree to which the leaves below a node went. */
  of(root, node) {
    const found = new Set();
    const below = leaves(node);
    for (const leaf of below) for (const match of this.ofLeaf(root, leaf, below.length <= FEW)) found.add(match);
    return found;
  }

  ofLeaf(root, leaf, mayBeInside) {
    const other = this.other.get(root);
    if (!other) return [];
    const same = this.index.get(other).get(signature(leaf)) ?? [];
    if (!same.length) return leaf.kind === "string" && mayBeInside ? this.inside(other, leaf) : [];
    if (leaf.kind === "string" && leaf.value.length >= TELLING) return same;
    const mine = this.index.get(root).get(signature(leaf)).filter((one) => one.key === leaf.key);
    const theirs = same.filter((one) => this.means(leaf.key, one.key));
    if (mine.length !== theirs.length) return theirs.length === 1 ? theirs : [];
    return [theirs[mine.indexOf(leaf)]];
  }

  /** Texts that were joined into a longer one. */
  inside(other, leaf) {
    if (leaf.value.length < 2 * TELLING) return [];
    return leaves(other).filter((one) => one.kind === "string" && one.value.includes(leaf.value));
  }

  means(name, other) {
    return name === other || (this.names.get(name)?.has(other) ?? false);
  }
}

function indexed(root) {
  const index = new Map();
  for (const leaf of root ? leaves(root) : []) {
    const key = signature(leaf);
    if (!index.has(key)) index.set(key, []);
    index.get(key).push(leaf);
  }
  return index;
}

function signature(leaf) {
  return `${leaf.kind}:${leaf.value}`;
}

/** Which fields are called what on the other side, from the tables of fields. */
export function otherNames(tables) {
  const names = new Map();
  const add = (one, other) => names.set(one, (names.get(one) ?? new Set()).add(other));
  for (const { title, rows } of tables) {
    if (!title.startsWith("Request")) continue;
    for (const [from, to] of rows.slice(1)) {
      const [one, other] = [last(from), last(to)];
      if (one && other && one !== other) {
        add(one, other);
        add(other, one);
      }
    }
  }
  return names;
}

function last(cell) {
  return /^`([\w.]+)`$/.exec(cell)?.[1].split(".").pop() ?? "";
}

/** The row of the tables that speaks of a path: of it, or of what it is in. */
export function fieldOf(tables, path) {
  const names = path.replace(/\[\d*\]/g, "").split(".");
  for (let length = names.length; length; length -= 1) {
    const wanted = `\`${names.slice(0, length).join(".")}\``;
    for (const table of tables) {
      const row = table.rows.find(([name]) => name === wanted);
      if (row) return row;
    }
  }
  return null;
}
