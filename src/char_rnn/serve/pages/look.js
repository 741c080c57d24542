// Looking at what stands on the desk: its colours, and the strip beside it.
const MOST_LOOKED = 4000;  // characters: as much as is read again where the text has changed
const TYPING = 120, WRITING = 250;  // milliseconds between two looks

const look = new Lens($("look"), {
  chars: () => desk.chars,
  known: () => desk.known,
  place: () => Math.max(desk.caret - 1, 0),
  from: chars => Math.max(0, chars.length - MOST_LOOKED),
  shown: () => !$("write").hidden,
  repaint: (from, to) => {
    const end = Math.min(to, layer.spans.length);
    for (let i = from; i < end; i++) layer.spans[i].style.background = look.tint(i);
  },
  goTo: place => { if (!desk.writing) desk.move(place + 1); },
  told: () => tell("known"),
  open: true,
  always: true,  // what stands instead of a character is shown whatever is coloured
});
layer.paint = i => look.tint(i);
{
  let waits = 0;
  const soon = wait => {
    waits ||= setTimeout(() => {
      waits = 0;
      look.update();
    }, wait);
  };
  on("text", () => {
    look.tell();
    soon(desk.writing ? WRITING : TYPING);
  });
  on("caret", () => look.tell());
  on("writing", () => soon(0));
  on("tab", name => { if (name === "write") look.update(); });
  on("model", () => {
    desk.known.fill(undefined);
    look.update();
  });
}
