// What the server knows: one list that stays up to date, single exchanges, and the table of fields.

const RETRIES = 40; // connections, to reach the same worker again
const PAUSE = 1000;

export class Server {
  constructor(onChange, onState) {
    this.onChange = onChange;
    this.onState = onState;
    this.revision = 0;
    this.about = {};
    this.worker = null;
  }

  async start() {
    [this.about, this.fields] = await Promise.all([this.json("about"), this.json("fields")]);
    this.worker = this.about.worker;
    this.listen();
  }

  async json(path) {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  /** Ask the worker whose exchanges are shown: with several, a new connection may reach another one. */
  async ask(path, options = {}) {
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${path}${path.includes("?") ? "&" : "?"}worker=${this.worker}`, options);
      if (answer.status !== 421 || tries === RETRIES) return answer;
    }
  }

  async exchange(number) {
    const answer = await this.ask(`exchanges/${number}`);
    return answer.ok ? answer.json() : null;
  }

  clear() {
    return this.ask("clear", { method: "POST" });
  }

  /** Follow the list for ever, but not in a tab that nobody sees: browsers open few connections. */
  async listen() {
    for (;;) {
      if (document.hidden) await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
      else if (!(await this.follow().catch(() => false))) await new Promise((over) => setTimeout(over, PAUSE));
    }
  }

  async follow() {
    const leaving = new AbortController();
    const hide = () => document.hidden && leaving.abort();
    document.addEventListener("visibilitychange", hide);
    try {
      const answer = await this.ask(`events?after=${this.revision}`, { signal: leaving.signal });
      if (answer.status === 421) return await this.adopt();
      if (!answer.ok) {
        this.onState(answer.status === 401 ? "locked" : "unreachable");
        return false;
      }
      this.onState("live");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return true;
        const events = (text + value).split("\n\n");
        text = events.pop();
        for (const event of events) this.take(JSON.parse(event.slice("data: ".length)));
      }
    } catch (error) {
      if (!leaving.signal.aborted) this.onState("unreachable");
      throw error;
    } finally {
      document.removeEventListener("visibilitychange", hide);
    }
  }

  /** The worker is not there any more: show another one. */
  async adopt() {
    this.about = await this.json("about");
    this.worker = this.about.worker;
    this.revision = 0;
    this.onChange([], Infinity);
    return true;
  }

  take({ revision, oldest, exchanges }) {
    this.revision = revision;
    this.onChange(exchanges, oldest);
  }
}
