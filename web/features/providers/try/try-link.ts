/** The props of a link to the box with this model in it. The routes are made at run time: types know of no search of theirs. */
export function tryLink(model: string): { readonly to: string } {
  const link = { to: "/try", search: { model } };
  return link;
}
