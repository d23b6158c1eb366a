/** For a server that is told of hosts of the internet: no name resolves, and nobody out there is asked for one. */
export const OFFLINE = {
  lookup: () => Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" })),
};
