// What people call the parts of a clip, and the paper's word for each.

const TITLES = { appearance: "Who", motion: "Moves", content: "What", noise: "Chance" };
const INDICES = { appearance: "ₐ", motion: "ₘ" };

// {title, term} of one of the subspaces of a release; those that share a role keep their names
function named(space, spaces) {
  const { name, role, dim } = space, alone = spaces.filter((other) => other.role === role).length === 1;
  const word = TITLES[role] ?? role;
  return { title: alone ? word : `${word} ${name}`, term: `${role} ${alone ? `z${INDICES[role] ?? ""}` : name}, ${dim}-d` };
}
