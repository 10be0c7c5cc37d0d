// The AI SDK: by default it refers to what the server keeps with `item_reference`; `previousResponseId` and `conversation` too.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, isStepCount, streamText, tool } from "ai";
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

await run("ai-sdk", {
  item_reference: loop(false),
  item_reference_streamed: loop(true),
  item_reference_reasoning: loop(true, REASONING_MODEL, { reasoningEffort: "low" }),
});
