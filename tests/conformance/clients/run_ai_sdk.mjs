// The AI SDK: by default it refers to what the server keeps with `item_reference`.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, isStepCount, streamText, tool } from "ai";
import OpenAI from "openai";
import { z } from "zod";
import { BASES, MODEL, REASONING_MODEL, check, question, run, turning, weather } from "./scenarios.mjs";

const TURNS = 4;
const tools = {
  weather: tool({
    description: "The weather of a city",
    inputSchema: z.object({ city: z.string(), day: z.string() }),
    execute: weather,
  }),
};

async function ask(streamed, about) {
  if (!streamed) return generateText(about);
  const result = streamText(about);
  await result.consumeStream();
  return { text: await result.text, response: await result.response };
}

const loop = (streamed, model = MODEL, more = {}) => async (credential, chained) => {
  const openai = createOpenAI({ baseURL: BASES[0], apiKey: credential, fetch: turning(BASES) }), messages = [];
  for (let turn = 0; turn < TURNS; turn++) {
    messages.push({ role: "user", content: question(turn) });
    const { text, response } = await ask(streamed, {
      model: openai.responses(model),
      system: "Be brief.",
      messages,
      tools,
      maxRetries: 0,
      stopWhen: isStepCount(4),
      providerOptions: { openai: { ...more, ...(chained ? {} : { store: false }) } },
    });
    check(text.includes("sunny"), text);
    messages.push(...response.messages);
  }
};

/** One request after the other, each with what is new only: `by` names what it continues. */
const stepping = (by) => async (credential, chained) => {
  const openai = createOpenAI({ baseURL: BASES[0], apiKey: credential, fetch: turning(BASES) }), history = [];
  const sdk = new OpenAI({ baseURL: BASES[0], apiKey: credential, fetch: turning(BASES) });
  const kept = chained ? { store: true } : { store: false };
  if (chained && by === "conversation") kept.conversation = (await sdk.conversations.create()).id;
  for (let turn = 0; turn < TURNS; turn++) {
    for (let fresh = [{ role: "user", content: question(turn) }]; fresh.length; ) {
      history.push(...fresh);
      const { response, providerMetadata } = await generateText({
        model: openai.responses(MODEL),
        messages: chained ? fresh : history,
        tools,
        maxRetries: 0,
        stopWhen: isStepCount(1),
        providerOptions: { openai: kept },
      });
      if (chained && by === "previousResponseId") kept.previousResponseId = providerMetadata.openai.responseId;
      fresh = response.messages.filter(({ role }) => role === "tool");
      history.push(...response.messages.filter(({ role }) => role !== "tool"));
    }
  }
};

await run("ai-sdk", {
  previous_response_id: stepping("previousResponseId"),
  conversation: stepping("conversation"),
  item_reference: loop(false),
  item_reference_streamed: loop(true),
  item_reference_reasoning: loop(true, REASONING_MODEL, { reasoningEffort: "low" }),
});
