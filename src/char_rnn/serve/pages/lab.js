// Experiments of the lab, and the diagnosis of a run: a question, pictures, what came out.

// The pictures of a page that the lab made: inert images, in which nothing runs.
const pictures = html => {
  const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? "";
  return [...html.matchAll(/<svg[^]*?<\/svg>/g)].map(([svg]) => {
    const [, width] = /width="([\d.]+)"/.exec(svg) ?? [];
    const made = svg.replace(">", `><style><![CDATA[${style}]]></style>`);
    const title = new DOMParser().parseFromString(svg, "image/svg+xml").querySelector("title");
    const image = make("img", { alt: title?.textContent ?? "", width });
    image.src = URL.createObjectURL(new Blob([made], { type: "image/svg+xml" }));
    image.onload = () => URL.revokeObjectURL(image.src);
    return image;
  });
};
// Show what came out of an experiment; findings: those of a diagnosis.
const showAnswer = (box, { name, page: html, found, means, findings }) => {
  const file = URL.createObjectURL(new Blob([html], { type: "text/html" }));
  const list = (findings ?? []).map(f => make("li", {},
    make("b", { text: f.name }), ` (${f.severity}): ${f.evidence} `, make("em", { text: f.remedy })));
  const text = findings ? found.split("\n\n")[0] : found;  // findings are listed
  box.replaceChildren(
    make("p", { class: "said", text }),
    ...(list.length ? [make("ul", { class: "findings" }, ...list)] : []),
    make("div", { class: "pictures" }, ...pictures(html)),
    make("p", { class: "faint", text: means }),
    make("a", { href: file, download: `${name}.html`, text: "Save it as a page, with its numbers" }));
};

{ // ---- experiments
  let experiments = null, busy = null;

  const refresh = () => {
    const may = page.training && experiments, other = page.runs.find(active);
    $("lab").hidden = !page.training;
    if (!may) return;
    $("lab-on").textContent = other
      ? `“${other.name}” is being trained; experiments can be done when it has ended.`
      : "Each is done on this machine, now, in about so many seconds. Some look into the model that is chosen above.";
    for (const button of $("lab-list").querySelectorAll("button")) button.disabled = !!other || !!busy;
  };
  const list = async () => {
    experiments ??= (await api("/v1/lab")).data;
    $("lab-list").replaceChildren(...experiments.map(e => make("li", {},
      make("button", { type: "button", class: "link", text: e.question, onclick: () => trying(() => work(e)) }),
      make("span", { class: "faint", text: ` ${e.seconds} s` }))));
    refresh();
  };
  const work = async experiment => {
    const began = Date.now(), stopper = busy = new AbortController();
    const goes = () => { $("lab-goes").textContent = `${Math.round((Date.now() - began) / 1000)} s of about ${experiment.seconds}`; };
    const timer = setInterval(goes, 1000);
    goes();
    refresh();
    $("lab-answer").hidden = $("lab-stop").hidden = false;
    $("lab-question").textContent = experiment.question;
    $("lab-shown").replaceChildren();
    $("lab-question").focus();
    try {
      const body = experiment.takes.includes("model") ? { model: page.model.id } : {};
      const answer = await api("/v1/lab/" + experiment.name, body, { signal: stopper.signal });
      showAnswer($("lab-shown"), answer);
      say("The experiment is done. " + answer.found);
    } catch (error) {
      if (!stopper.signal.aborted) $("lab-shown").replaceChildren(make("p", { class: "wrong", text: error.message }));
    } finally {
      busy = null;
      clearInterval(timer);
      $("lab-stop").hidden = true;
      $("lab-goes").textContent = stopper.signal.aborted ? "stopped" : "";
      refresh();
    }
  };
  $("lab-stop").onclick = () => { busy?.abort(); $("lab-question").focus(); };
  $("lab").addEventListener("toggle", () => { if ($("lab").open) trying(list); });
  on("runs", refresh);
}
