// What people call the parts of a clip, and the paper's word for each.

const TITLES = { appearance: "Who", motion: "Moves", content: "What", noise: "Chance" };
const INDICES = { appearance: "ₐ", motion: "ₘ" };

// {title, term} of one of the subspaces of a release; where several share a role, their names tell them apart
function named(space, spaces) {
  const { name, role, dim } = space, alone = spaces.filter((other) => other.role === role).length === 1;
  const word = TITLES[role] ?? role;
  const symbol = name === role ? `z${INDICES[role] ?? ""}` : name;
  return { title: alone ? word : `${word} ${name}`, term: `${role} ${symbol}, ${dim}-d` };
}
