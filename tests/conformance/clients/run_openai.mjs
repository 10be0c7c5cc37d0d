// The official SDK drives every endpoint of stored state, each time at another process.
import OpenAI from "openai";
import { BASES, CHAT_BASES, MODEL, check, question, run, same, turning, weather } from "./scenarios.mjs";

const TURNS = 10;
const TOOL = {
  type: "function",
  name: "weather",
  description: "The weather of a city",
  strict: true,
  parameters: {
    type: "object",
    properties: { city: { type: "string" }, day: { type: "string" } },
    required: ["city", "day"],
    additionalProperties: false,
  },
};
const SETTINGS = { model: MODEL, instructions: "Be brief.", tools: [TOOL] };

const sdk = (apiKey, bases = BASES, maxRetries = 0) =>
  new OpenAI({ baseURL: bases[0], apiKey, maxRetries, fetch: turning(bases) });
const user = (content) => ({ type: "message", role: "user", content });
const results = (answer) =>
  answer.output
    .filter((item) => item.type === "function_call")
    .map((call) => ({ type: "function_call_output", call_id: call.call_id, output: weather(JSON.parse(call.arguments)) }));

async function all(pages) {
  const found = [];
  for await (const each of pages) found.push(each);
  return found;
}

async function refused(promise, status, code) {
  try {
    await promise;
  } catch (error) {
    check(error.status === status && (code === undefined || error.code === code), `${error}`);
    return error;
  }
  throw new Error(`not refused with ${status}`);
}

const asking = (streamed) => (client, about) =>
  streamed ? client.responses.stream(about).finalResponse() : client.responses.create(about);

async function chain(client, turns, ask = asking(false)) {
  const answers = [];
  for (let turn = 0; turn < turns; turn++) {
    for (let input = [user(question(turn))]; input.length; input = results(answers.at(-1)))
      answers.push(await ask(client, { ...SETTINGS, input, previous_response_id: answers.at(-1)?.id }));
  }
  return answers;
}

const turns = (streamed) => async (credential, chained) => {
  const client = sdk(credential), ask = asking(streamed);
  if (chained) {
    check((await chain(client, TURNS, ask)).length === 2 * TURNS, "turns");
    return;
  }
  const history = [];
  for (let turn = 0; turn < TURNS; turn++) {
    for (let input = [user(question(turn))]; input.length; ) {
      history.push(...input);
      const answer = await ask(client, { ...SETTINGS, input: history, store: false });
      history.push(...answer.output.map(({ parsed_arguments, ...item }) => item));
      input = results(answer);
    }
  }
};

const conversation = (streamed) => async (credential, chained) => {
  const client = sdk(credential), ask = asking(streamed), history = [];
  const kept = chained ? (await client.conversations.create({ metadata: { topic: "weather" } })).id : null;
  for (let turn = 0; turn < TURNS; turn++) {
    for (let input = [user(question(turn))]; input.length; ) {
      history.push(...input);
      const answer = await ask(client, chained
        ? { ...SETTINGS, input, conversation: kept } : { ...SETTINGS, input: history, store: false });
      history.push(...answer.output.map(({ parsed_arguments, ...item }) => item));
      input = results(answer);
    }
  }
  if (chained) check((await all(client.conversations.items.list(kept))).length === 4 * TURNS, "items");
};

async function retrieving(credential) {
  const client = sdk(credential), answers = await chain(client, 3);
  for (const answer of answers.flatMap((answer) => [answer, answer])) {
    const { _request_id, ...found } = await client.responses.retrieve(answer.id);
    same(found, JSON.parse(JSON.stringify(answer)));
  }
}

async function paging(credential) {
  const client = sdk(credential), last = (await chain(client, 3)).at(-1).id;
  const oldest = await all(client.responses.inputItems.list(last, { order: "asc", limit: 3 }));
  const newest = await all(client.responses.inputItems.list(last, { limit: 2 }));
  check(oldest.length === 11 && oldest[0].role === "user", oldest);
  same(newest, oldest.toReversed());
  const page = await client.responses.inputItems.list(last, { after: newest[3].id, limit: 4 });
  same(page.data, newest.slice(4, 8));
}

async function deleting(credential) {
  const client = sdk(credential), answers = await chain(client, 2);
  await client.responses.delete(answers[0].id);
  await refused(client.responses.retrieve(answers[0].id), 404);
  const more = { ...SETTINGS, input: "Go on.", previous_response_id: answers.at(-1).id };
  await refused(client.responses.create(more), 400, "previous_response_not_found");
}

async function conversations(credential) {
  const client = sdk(credential);
  const { id, ...about } = await client.conversations.create({ metadata: { topic: "weather" }, items: [user("Hello")] });
  check((await client.conversations.retrieve(id)).metadata.topic === about.metadata.topic, about);
  await client.conversations.update(id, { metadata: { topic: "sun" } });
  check((await client.conversations.retrieve(id)).metadata.topic === "sun", "metadata");
  const items = Array.from({ length: 20 }, (_, number) => user(`${number}`));
  const added = await client.conversations.items.create(id, { items });
  const oldest = await all(client.conversations.items.list(id, { order: "asc", limit: 6 }));
  check(oldest.length === 21, "items");
  same(await all(client.conversations.items.list(id, { limit: 4 })), oldest.toReversed());
  const one = added.data[3].id;
  check((await client.conversations.items.retrieve(one, { conversation_id: id })).id === one, "item");
  await client.conversations.items.delete(one, { conversation_id: id });
  await refused(client.conversations.items.retrieve(one, { conversation_id: id }), 404);
  await client.conversations.delete(id);
  await refused(client.conversations.retrieve(id), 404);
}

async function locking(credential) {
  const client = sdk(credential, BASES, 10), { id } = await client.conversations.create();
  const ask = (input) => client.responses.create({ model: "slow", input, conversation: id });
  const answers = await Promise.all([ask("One"), ask("Two")]);
  check(answers.every((answer) => answer.status === "completed"), answers);
  check((await all(client.conversations.items.list(id))).length === 4, "items");
}

async function compacting(credential) {
  const client = sdk(credential), last = (await chain(client, 3)).at(-1).id;
  const compacted = await client.responses.compact({ model: MODEL, previous_response_id: last });
  check(compacted.output.at(-1).type === "compaction", compacted);
  const answer = await client.responses.create({ model: MODEL, input: [...compacted.output, user("And now?")] });
  const again = await client.responses.create({ model: MODEL, input: "Then?", previous_response_id: answer.id });
  check(again.output_text.includes("Then?"), again);
}

async function counting(credential) {
  const client = sdk(credential), last = (await chain(client, 2)).at(-1).id;
  const alone = await client.responses.inputTokens.count({ model: MODEL, input: "Then?" });
  const behind = await client.responses.inputTokens.count({ model: MODEL, input: "Then?", previous_response_id: last });
  check(behind.input_tokens > alone.input_tokens && alone.input_tokens > 0, { alone, behind });
}

async function completions(credential) {
  const client = sdk(credential, CHAT_BASES), chat = client.chat.completions, made = [];
  for (let number = 0; number < 5; number++) {
    const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: `Question ${number}` }];
    made.push(await chat.create({ model: MODEL, messages, store: true, metadata: { odd: `${number % 2}` } }));
  }
  const ids = async (query) => (await all(chat.list(query))).map(({ id }) => id);
  const everything = await ids({ limit: 2 });
  same(everything.toSorted(), made.map(({ id }) => id).toSorted());
  same(await ids({ limit: 2, order: "desc" }), everything.toReversed());
  same((await ids({ model: MODEL, metadata: { odd: "1" } })).toSorted(), [made[1].id, made[3].id].toSorted());
  const [{ id, choices }] = made;
  same((await chat.retrieve(id)).choices, choices);
  check((await chat.update(id, { metadata: { odd: "no" } })).metadata.odd === "no", "update");
  check((await chat.retrieve(id)).metadata.odd === "no", "metadata");
  const messages = await all(chat.messages.list(id, { limit: 1 }));
  same(messages.map(({ role }) => role), ["system", "user"]);
  await chat.delete(id);
  await refused(chat.retrieve(id), 404);
}

await run(
  "openai-js",
  { turns: turns(false), turns_streamed: turns(true), conversation: conversation(false),
    conversation_streamed: conversation(true) },
  { retrieving, paging, deleting, conversations, locking, compacting, counting, completions },
);
