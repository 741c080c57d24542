// The piano roll of the piece on the desk, which grows while it is written.
const pianoRoll = (() => {
{{ player() }}
return roll;
})();
{
  const PAUSE = 1000, MOST = 20_000;
  let shown = null, told = "", timer = 0, last = -PAUSE;

  // The piece in which the caret is, as far as its bars are whole; pieces have a blank line between them.
  const piece = () => {
    const text = desk.text, at = desk.chars.slice(0, desk.caret).join("").length;
    const from = at ? text.lastIndexOf("\n\n", at - 1) : -1, end = text.indexOf("\n\n", at);
    const own = text.slice(from < 0 ? 0 : from + 2, end < 0 ? undefined : end).slice(0, MOST);
    return own.slice(0, own.lastIndexOf("|") + 1);
  };
  const draw = async () => {
    last = performance.now();
    const model = page.model, text = piece();
    $("music-roll").hidden = !desk.text;
    if (!text || text === told) return;
    const { data: [data], message } = await api("/v1/roll", { model: model.id, text });
    if (model !== page.model) return;
    told = text;
    $("music-said").textContent = message ?? "";
    if (!data) return;
    data.name = "Piano roll";
    if (shown) shown.show(data); else shown = pianoRoll($("music-roll"), data);
  };
  // At most once a second; nobody waits for it.
  const due = () => {
    if (timer || $("music").hidden) return;
    timer = setTimeout(async () => {
      await trying(draw);
      timer = 0;
      if (piece() && piece() !== told) due();
    }, Math.max(last + PAUSE - performance.now(), 0));
  };
  on("model", model => {
    $("music").hidden = !model.char_rnn.music;
    told = "";
    shown?.pause();
    due();
  });
  on("text", due);
  on("caret", due);
  on("tab", name => { if (name !== "write") shown?.pause(); });
  document.addEventListener("keydown", event => {
    if (!event.altKey || event.code !== "KeyP" || $("write").hidden || $("music").hidden || !shown) return;
    event.preventDefault();
    shown.toggle();
  });
}
