// Writing: what stands on the desk is gone on with, and one watches.
$("go").onclick = () => trying(async () => {
  desk.setWriting(true);
  const body = { model: page.model.id, prompt: desk.text, max_tokens: 200, stream: true, logprobs: 10 };
  try {
    for await (const { data } of events("/v1/completions", body)) {
      if (data === "[DONE]") break;
      desk.append(Array.from(data.choices[0].text));
    }
  } finally {
    desk.setWriting(false);
  }
});
