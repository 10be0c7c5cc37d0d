// What the JavaScript clients share: servers that take turns, and a line on stdout for each scenario (see scenarios.py).
import { isDeepStrictEqual } from "node:util";

export const BASES = process.env.DIGLOT_BASES.split(" ");
export const CHAT_BASES = process.env.DIGLOT_CHAT_BASES.split(" ");
export const MODEL = "gpt-4.1", REASONING_MODEL = "gpt-5.1";
let requests = 0;

/** A fetch that sends each request to the process after the one that got the last request. */
export const turning = (bases) => (url, init) => {
  const target = new URL(url);
  target.port = new URL(bases[requests++ % bases.length]).port;
  return fetch(target, init);
};

export const question = (turn) => `What is the weather on day ${turn}?`;
export const weather = ({ city, day }) => `In ${city} it is sunny on ${day}.`;

export function check(condition, about) {
  if (!condition) throw new Error(typeof about === "string" ? about : JSON.stringify(about));
}

export const same = (one, other) => check(isDeepStrictEqual(one, other), { one, other });

/** Run the scenarios, and each of the loops twice: chained, and with everything sent. */
export async function run(client, loops, scenarios = {}) {
  const twice = (loop) => async (credential) => {
    await loop(credential, true);
    await loop(`${credential}-full`, false);
    return "LOOP";
  };
  const all = { ...Object.fromEntries(Object.entries(loops).map(([name, loop]) => [name, twice(loop)])), ...scenarios };
  for (const [name, scenario] of Object.entries(all)) {
    try {
      console.log((await scenario(`sk-${client}-${name}`)) ?? "PASS", name);
    } catch (error) {
      console.log("FAIL", name, `${error?.name}: ${error?.message}`.replace(/\s+/g, " ").slice(0, 400));
    }
  }
}
