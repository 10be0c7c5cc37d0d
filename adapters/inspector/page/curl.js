// What a user takes along: a request as a command, or the exchange as a file. Neither has a key in it.

import { element } from "./dom.js";

/** The command that repeats the request of a side. */
export function curl(side, name, about) {
  const { request } = side;
  const url = name === "client" ? location.origin + side.path : upstreamUrl(about.upstream, side.path);
  const kind = request.headers.find(([header]) => header === "content-type")?.[1] ?? "application/json";
  const lines = [
    `curl -N ${url.startsWith("$") ? `"${url}"` : quoted(url)}`,
    `  -H ${quoted(`content-type: ${kind}`)}`,
    '  -H "authorization: Bearer $OPENAI_API_KEY"',
    `  --data-raw ${quoted(request.text ?? "")}`,
  ];
  return { text: `${lines.join(" \\\n")}\n`, whole: request.size === request.kept };
}

function upstreamUrl(base, path) {
  if (!base) return `$UPSTREAM${path.replace(/["$`\\]/g, "")}`;
  const start = base.replace(/\/+$/, "");
  const end = path.replace(/^\/(?:openai\/)?v\d[^/]*/, "");
  return /^https?:\/\/[^/]+$/.test(start) ? `${start}/v1${end}` : start + end;
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Hand over an exchange as a file of JSON. */
export function download(exchange) {
  const file = new Blob([JSON.stringify(exchange, null, 1)], { type: "application/json" });
  const link = element("a", { href: URL.createObjectURL(file), download: `exchange-${exchange.number}.json` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
