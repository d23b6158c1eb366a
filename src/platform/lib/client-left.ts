/** The status of a request whose client left before its answer, as nginx made the custom. */
export const CLIENT_LEFT = 499;
