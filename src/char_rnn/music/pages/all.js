// Every piece of the page that has not been filled yet.
for (const root of document.querySelectorAll(".rolls")) {
  if (root.querySelector("button")) continue;  // another part has brought this script, too
  for (const data of JSON.parse(root.querySelector("script").textContent)) {
    roll(add(root, "section", ""), data);
  }
  const keys = add(root, "p", "", "keys");
  for (const [names, says] of [["Space", "plays and pauses, "], ["← →", "a bar back and on, "],
    ["Home End", "beginning and end; a click goes to its place."]]) {
    for (const name of names.split(" ")) add(keys, "kbd", name), keys.append(" ");
    keys.append(says);
  }
}
