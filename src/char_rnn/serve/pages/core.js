// What every part of the page uses: asking the server, telling one another, tabs, the model.

const $ = id => document.getElementById(id);

// An element with properties (`class`, `text`, `on…`, else attributes) and children.
const make = (name, properties = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "text") made.textContent = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};

// Parts tell one another what has happened: "model", "tab", "text", "caret", "known", "writing", "runs",
// "run" (one to be watched).
const news = new EventTarget();
const tell = (name, detail) => news.dispatchEvent(new CustomEvent(name, { detail }));
const on = (name, action) => news.addEventListener(name, event => action(event.detail));

// What the server says is wrong: `message`, and as the API has them `status`, `param`, `code`.
class Problem extends Error {
  constructor(status, found) {
    super(found?.message ?? `the server answered ${status}`);
    Object.assign(this, { status, param: found?.param, code: found?.code });
  }
}

const page = { models: [], model: null, key: sessionStorage.getItem("char-rnn key") ?? "" };

// Ask the server: GET without a body, else POST. Throws Problem, and TypeError where nobody answers.
const ask = async (path, body, { signal, headers = {} } = {}) => {
  for (;;) {
    const answer = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...headers,
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...(page.key && { Authorization: "Bearer " + page.key }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => null);
    if (answer.status !== 401) throw new Problem(answer.status, said?.error);
    await askKey();
  }
};
const api = async (path, body, options) => {
  const answer = await ask(path, body, options);
  return answer.status === 204 ? null : answer.json();
};

// The events that the server sends: { id, event, data }, data being JSON but for "[DONE]".
async function* events(path, body, options) {
  const answer = await ask(path, body, options);
  if (answer.status === 204) return;
  let rest = "";
  for await (const piece of pieces(answer.body.pipeThrough(new TextDecoderStream()))) {
    const whole = (rest + piece).split("\n\n");
    rest = whole.pop();
    for (const lines of whole) {
      const found = { event: "message" };
      for (const line of lines.split("\n")) {
        const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        if (name) found[name] = value;
      }
      if (found.data === undefined) continue;  // only that there is no news
      if (found.data !== "[DONE]") found.data = JSON.parse(found.data);
      yield found;
    }
  }
}
async function* pieces(stream) {  // Safari's streams cannot be iterated over
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

let asking = null;
const askKey = () => asking ??= new Promise(resolve => {
  $("ask-key").showModal();
  $("key").value = "";
  $("key-form").onsubmit = event => {
    event.preventDefault();
    page.key = $("key").value;
    sessionStorage.setItem("char-rnn key", page.key);
    $("ask-key").close();
    asking = null;
    resolve();
  };
});
$("ask-key").addEventListener("cancel", event => event.preventDefault());

// Tell those who do not see the page.
const say = text => { $("said").textContent = text; };
// Show what went wrong until it is dismissed or the next thing goes well.
const problem = error => {
  if (error?.name === "AbortError") return;
  $("problem").hidden = !error;
  const lost = error instanceof TypeError && !(error instanceof Problem);
  $("problem-said").textContent = !error ? "" : lost
    ? "The server does not answer. Does it still run?" : error.message;
};
$("problem-away").onclick = () => problem(null);
// Do something that may fail, and show it where it does.
const trying = async action => {
  try {
    return await action();
  } catch (error) {
    problem(error);
  }
};

const TABS = ["write", "read", "train"];
const showTab = (name, focus = false) => {
  for (const tab of TABS) {
    const chosen = tab === name;
    $(tab).hidden = !chosen;
    $("tab-" + tab).setAttribute("aria-selected", chosen);
    $("tab-" + tab).tabIndex = chosen ? 0 : -1;
    if (chosen && focus) $("tab-" + tab).focus();
  }
  if (location.hash.slice(1) !== name) history.replaceState(null, "", "#" + name);
  tell("tab", name);
};
for (const tab of TABS) $("tab-" + tab).onclick = () => showTab(tab);
$("tabs").onkeydown = event => {
  const here = TABS.findIndex(tab => !$(tab).hidden);
  const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  showTab(TABS.at(to % TABS.length), true);
};
addEventListener("hashchange", () => {
  if (TABS.includes(location.hash.slice(1))) showTab(location.hash.slice(1));
});

// The list of models anew; the one that is chosen stays, or `name` is.
const loadModels = async name => {
  page.models = (await api("/v1/models")).data;
  const before = name ?? page.model?.id;
  $("model").replaceChildren(...page.models.map(m => make("option", { value: m.id, text: m.id })));
  const found = page.models.find(m => m.id === before) ?? page.models[0];
  if (found) {
    $("model").value = found.id;
    if (found.id !== page.model?.id) chooseModel(found);
  }
};
const chooseModel = model => {
  page.model = model;
  const { cell, layers, hidden_size, loss } = model.char_rnn;
  const parts = [`${cell.toUpperCase()}, ${layers} × ${hidden_size}`];
  if (loss != null) parts.push(`${loss.toFixed(3)} nats a character`);
  $("about").textContent = parts.join(" · ");
  tell("model", model);
};
$("model").onchange = () => {
  chooseModel(page.models.find(m => m.id === $("model").value));
};

// A character's place in what the model reads: of a model of bytes a character is 1 to 4 of them.
const utf8 = new TextEncoder();
const width = char => page.model.char_rnn.kind === "bytes" ? utf8.encode(char).length : 1;

const start = () => trying(async () => {
  const wanted = location.hash.slice(1);
  showTab(TABS.includes(wanted) ? wanted : "write");
  await loadModels();
});
