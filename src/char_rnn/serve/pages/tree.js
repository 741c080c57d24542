// The texts that were made here: each begins somewhere in another one, and all of them stay.
//
// A branch is what follows place `at` of the text of its parent: its own characters, what the model
// thought of them, and how they came: "typed", "written", or "chosen" instead of another character.
class Tree {
  constructor() {
    this.root = this.here = { parent: null, at: 0, chars: [], known: [], how: "typed", children: [] };
  }
  // The whole text that ends with a branch.
  textOf(branch) {
    const path = [];
    for (let b = branch; b; b = b.parent) path.unshift(b);
    return path.reduce(({ chars, known }, b) => ({
      chars: chars.slice(0, b.at).concat(b.chars),
      known: known.slice(0, b.at).concat(b.known),
    }), { chars: [], known: [] });
  }
  // Begin a branch at a place of the text that ends here, and be there.
  branch(at, how, more = {}) {
    let parent = this.here;
    while (parent.parent && parent.at >= at) parent = parent.parent;
    this.here = { parent, at, chars: [], known: [], how, children: [], ...more };
    parent.children.push(this.here);
  }
  // The text that ends here is this one now.
  keep(chars, known) {
    this.here.chars = chars.slice(this.here.at);
    this.here.known = known.slice(this.here.at);
  }
  // Somebody typed at a place: what others begin in must stay as it is.
  typed(at) {
    const { how, at: begin, children } = this.here;
    if (how !== "typed" || at < begin || children.some(child => child.at > at)) {
      this.branch(at, "typed");
    }
  }
  // What was thought of all that is another model's.
  forget() {
    for (const [branch] of this.all()) branch.known = Array(branch.chars.length);
  }
  // Take a branch away, with all that begins in it; be where it began, if one was in it.
  remove(branch) {
    for (let b = this.here; b; b = b.parent) if (b === branch) this.here = branch.parent;
    branch.parent.children = branch.parent.children.filter(child => child !== branch);
  }
  // All branches, each after what it begins in: [branch, depth]. What only goes on is no deeper.
  *all(branch = this.root, depth = 0) {
    const stack = [[branch, depth]];
    while (stack.length) {
      const [b, d] = stack.pop();
      yield [b, d];
      const alone = b.children.length === 1 && b.children[0].at === b.at + b.chars.length;
      stack.push(...b.children.map(child => [child, alone ? d : d + 1]).reverse());
    }
  }
  // As JSON has it, and back; what the model thought is read again.
  saved() {
    const all = Array.from(this.all(), ([b]) => b);
    const index = new Map(all.map((b, i) => [b, i]));
    return {
      here: index.get(this.here),
      branches: all.map(({ parent, at, chars, how, instead }) =>
        ({ parent: index.get(parent) ?? -1, at, text: chars.join(""), how, instead })),
    };
  }
  static of({ here, branches }) {
    const made = [];
    for (const { parent, at, text, how, instead } of branches) {
      const chars = Array.from(text);
      const known = Array(chars.length), above = made[parent] ?? null;
      made.push({ parent: above, at, chars, known, how, instead, children: [] });
      above?.children.push(made.at(-1));
    }
    const tree = new Tree();
    tree.root = made[0];
    tree.here = made[here] ?? made[0];
    return tree;
  }
}
