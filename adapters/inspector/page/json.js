// JSON that may be cut anywhere, as a tree with paths: what is kept of a large body ends somewhere.

const DEEPEST = 100;
const NUMBER = /-?\d+(?:\.\d*)?(?:[eE][+-]?\d*)?/y;
const LITERAL = /true|false|null/y;
const BLANK = /[ \t\r\n]*/y;

/** The tree of a text, or null if it is no JSON object or array. Numbers keep their digits. */
export function parse(text) {
  const reader = new Reader(text);
  const root = reader.value("", null, 0);
  return root && root.children ? root : null;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  value(path, key, depth) {
    this.skip(BLANK);
    const first = this.text[this.at];
    if (first === undefined || depth > DEEPEST) {
      this.at = this.text.length;
      return { kind: "cut", path, key, value: "…" };
    }
    if (first === "{" || first === "[") return this.container(path, key, depth, first === "{");
    if (first === '"') return { kind: "string", path, key, ...this.string() };
    const raw = this.skip(NUMBER) || this.skip(LITERAL);
    if (raw) return { kind: /^[-\d]/.test(raw) ? "number" : "literal", path, key, value: raw };
    const rest = this.text.slice(this.at);
    this.at = this.text.length;
    return { kind: "cut", path, key, value: rest.slice(0, 200) };
  }

  container(path, key, depth, isObject) {
    const node = { kind: isObject ? "object" : "array", path, key, children: [], whole: false };
    const end = isObject ? "}" : "]";
    this.at += 1;
    for (;;) {
      this.skip(BLANK);
      const next = this.text[this.at];
      if (next === undefined) return node;
      if (next === end) {
        this.at += 1;
        node.whole = true;
        return node;
      }
      if (next === ",") {
        this.at += 1;
        continue;
      }
      const name = isObject ? this.name() : node.children.length;
      if (name === null) return node;
      const inner = isObject ? (path ? `${path}.${name}` : name) : `${path}[${name}]`;
      const child = this.value(inner, isObject ? name : null, depth + 1);
      child.parent = node;
      if (!isObject) child.place = name;
      node.children.push(child);
    }
  }

  name() {
    if (this.text[this.at] !== '"') {
      this.at = this.text.length;
      return null;
    }
    const { value, cut } = this.string();
    this.skip(BLANK);
    if (cut || this.text[this.at] !== ":") {
      this.at = this.text.length;
      return null;
    }
    this.at += 1;
    return value;
  }

  string() {
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === "\\" ? 2 : 1;
    const cut = end >= this.text.length;
    let inner = this.text.slice(this.at + 1, end);
    if (cut) inner = inner.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, "");
    this.at = end + 1;
    try {
      return { value: JSON.parse(`"${inner}"`), cut };
    } catch {
      return { value: inner, cut };
    }
  }

  skip(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at += found[0].length;
    return found ? found[0] : "";
  }
}

/** The node at a path such as `tools[3].name`, or its nearest ancestor and the part of the path that is missing. */
export function find(root, path) {
  let node = root;
  let rest = path;
  while (rest && node.children) {
    const child = node.children.find((one) => leads(one, path));
    if (!child) break;
    node = child;
    rest = path.slice(child.path.length);
  }
  return { node, missing: rest.replace(/^\./, "") };
}

function leads(node, path) {
  return path.startsWith(node.path) && /^(?:$|[.[])/.test(path.slice(node.path.length));
}

/** All nodes without children, in their order. */
export function leaves(node) {
  return node.children ? node.children.flatMap(leaves) : [node];
}

/** A tree of plain values, as the parser makes it. */
export function tree(value) {
  return parse(JSON.stringify(value));
}
