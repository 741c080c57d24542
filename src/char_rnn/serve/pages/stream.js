// A text as the server writes it: characters with what the model thought of each, at the pace of
// whoever watches. What is read and not shown yet is bounded; then the server waits, too.
const AHEAD = 2000, LIKELY = 10;
const MOST_PROMPT = 10_000;  // characters before the place where it goes on; farther back none matters

// What is gone on from. A text begins after a line end, as its scores and what is expected have it;
// so what is shown before it is written is what it is drawn from.
const promptOf = chars => {
  const { kind, characters, documents } = page.model.char_rnn;
  const line = !documents && (kind === "bytes" || characters.includes("\n"));
  return (line && chars.length <= MOST_PROMPT ? "\n" : "") + chars.slice(-MOST_PROMPT).join("");
};

// The characters of one event. A token is a character; of a model of bytes, a byte.
const arrived = ({ text, logprobs }) => {
  let at = 0;
  return Array.from(text, char => {
    const first = at;
    at += width(char);
    const nats = -logprobs.token_logprobs.slice(first, at).reduce((sum, p) => sum + p, 0);
    const top = Object.entries(logprobs.top_logprobs[first] ?? {})
      .map(([char, p]) => ({ char, p: Math.exp(p) }))
      .sort((a, b) => b.p - a.p);  // an object has digits first, whatever was sent
    return { char, known: { nats, top } };
  });
};

// The next time that something can be seen; in a tab that nobody sees, a while later.
const frame = () => new Promise(done => {
  requestAnimationFrame(done);
  setTimeout(done, 300);
});

class Writing {
  constructor(body, signal) {
    Object.assign(this, { waiting: [], over: false, reason: "", error: null });
    this.read(body, signal).catch(error => { this.error = error; }).finally(() => { this.over = true; });
  }
  async read(body, signal) {
    for await (const { data } of events("/v1/completions", body, { signal })) {
      if (data === "[DONE]") return;
      if (data.error) throw new Problem(503, data.error);
      const [{ finish_reason }] = data.choices;
      this.waiting.push(...arrived(data.choices[0]));
      this.reason = finish_reason ?? this.reason;
      while (this.waiting.length > AHEAD && !signal.aborted) await frame();
    }
  }
  // What is to be shown frame by frame, until all is, or it is stopped. pace: characters a second now.
  async *frames(pace, signal) {
    let due = 1, last = performance.now();
    while (!signal.aborted && (this.waiting.length || !this.over)) {
      const now = performance.now();
      due = Math.min(due + pace() * (now - last) / 1000, this.waiting.length + 1);
      last = now;
      const some = this.waiting.splice(0, Math.floor(due));
      due -= some.length;
      yield some;
      await frame();
    }
    if (this.error) throw this.error;
  }
}
