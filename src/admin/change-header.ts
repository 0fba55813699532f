/** A program says this with each change: a page of another site cannot send it unasked. */
export const changeHeader = 'x-pinhole';
